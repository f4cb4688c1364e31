#include "common/job_spec/kubernetes_fields.h"

#include <algorithm>

namespace forebay::kubernetes {
namespace {

using enum Shape;

template <size_t N>
constexpr KnownType Type(const KnownField (&fields)[N]) {
  return {fields, N};
}

constexpr KnownField Plain(std::string_view name, Shape shape) {
  return {name, "", {}, shape, false};
}
// Rules can be about its presence.
constexpr KnownField Listed(std::string_view name, Shape shape = kAny) {
  return {name, "", {}, shape, true};
}
constexpr KnownField Refused(std::string_view name, std::string_view why) {
  return {name, why, {}, kRefused, false};
}
template <size_t N>
constexpr KnownField Object(std::string_view name, const KnownField (&fields)[N]) {
  return {name, "", Type(fields), kObject, false};
}
template <size_t N>
constexpr KnownField Objects(std::string_view name, const KnownField (&fields)[N]) {
  return {name, "", Type(fields), kObjects, false};
}

constexpr std::string_view kOurs = "is set by Forebay itself: leave it out";
constexpr std::string_view kOnePod =
    "is not possible: an attempt is one Pod that begins once, and Forebay decides about another";
constexpr std::string_view kLinux = "is for Windows; jobs run on Linux nodes";

constexpr KnownField kMetadata[] = {
    Plain("labels", kTextMap),
    Plain("annotations", kTextMap),
    Plain("namespace", kText),
    Refused("name", kOurs),
    Refused("generateName", kOurs),
    Refused("ownerReferences", "is not possible: Forebay removes its Jobs itself"),
    Refused("finalizers", "is not possible: Forebay removes its Jobs itself"),
};

constexpr KnownField kNamed[] = {Plain("name", kText)};
constexpr KnownField kNamedOptional[] = {Plain("name", kText), Plain("optional", kFlag)};
constexpr KnownField kKeyOf[] = {Plain("name", kText), Plain("key", kText),
                                 Plain("optional", kFlag)};

constexpr KnownField kValueFrom[] = {
    Plain("fieldRef", kAny),
    Plain("resourceFieldRef", kAny),
    Object("configMapKeyRef", kKeyOf),
    Object("secretKeyRef", kKeyOf),
};
constexpr KnownField kEnv[] = {Plain("name", kText), Plain("value", kText),
                               Object("valueFrom", kValueFrom)};
constexpr KnownField kEnvFrom[] = {Plain("prefix", kText), Object("configMapRef", kNamedOptional),
                                   Object("secretRef", kNamedOptional)};

constexpr KnownField kResources[] = {Plain("requests", kQuantities), Plain("limits", kQuantities),
                                     Listed("claims")};
constexpr KnownField kPort[] = {Plain("name", kText), Plain("containerPort", kInteger),
                                Plain("hostPort", kInteger), Plain("hostIP", kText),
                                Plain("protocol", kText)};
constexpr KnownField kMount[] = {
    Plain("name", kText),
    Plain("mountPath", kText),
    Plain("readOnly", kFlag),
    Plain("subPath", kText),
    Plain("subPathExpr", kText),
    Listed("mountPropagation", kText),
    Plain("recursiveReadOnly", kText),
};
constexpr KnownField kDevice[] = {Plain("name", kText), Plain("devicePath", kText)};

constexpr KnownField kSeLinux[] = {Plain("user", kText), Plain("role", kText), Plain("type", kText),
                                   Plain("level", kText)};
constexpr KnownField kProfile[] = {Plain("type", kText), Plain("localhostProfile", kText)};
constexpr KnownField kCapabilities[] = {Plain("add", kTexts), Plain("drop", kTexts)};
constexpr KnownField kSecurity[] = {
    Object("capabilities", kCapabilities),
    Plain("privileged", kFlag),
    Plain("allowPrivilegeEscalation", kFlag),
    Plain("runAsUser", kInteger),
    Plain("runAsGroup", kInteger),
    Plain("runAsNonRoot", kFlag),
    Plain("readOnlyRootFilesystem", kFlag),
    Plain("procMount", kText),
    Object("seLinuxOptions", kSeLinux),
    Object("seccompProfile", kProfile),
    Object("appArmorProfile", kProfile),
    Refused("windowsOptions", kLinux),
};
constexpr KnownField kSysctl[] = {Plain("name", kText), Plain("value", kText)};
constexpr KnownField kPodSecurity[] = {
    Plain("runAsUser", kInteger),           Plain("runAsGroup", kInteger),
    Plain("runAsNonRoot", kFlag),           Plain("fsGroup", kInteger),
    Plain("supplementalGroups", kIntegers), Listed("supplementalGroupsPolicy", kText),
    Listed("fsGroupChangePolicy", kText),   Objects("sysctls", kSysctl),
    Object("seLinuxOptions", kSeLinux),     Listed("seLinuxChangePolicy", kText),
    Object("seccompProfile", kProfile),     Object("appArmorProfile", kProfile),
    Refused("windowsOptions", kLinux),
};

constexpr KnownField kContainer[] = {
    Plain("name", kText),
    Plain("image", kText),
    Plain("imagePullPolicy", kText),
    Plain("command", kTexts),
    Plain("args", kTexts),
    Plain("workingDir", kText),
    Objects("env", kEnv),
    Objects("envFrom", kEnvFrom),
    Objects("ports", kPort),
    Object("resources", kResources),
    Object("securityContext", kSecurity),
    Objects("volumeMounts", kMount),
    {"volumeDevices", "", Type(kDevice), kObjects, true},
    Plain("terminationMessagePath", kText),
    Plain("terminationMessagePolicy", kText),
    Listed("restartPolicy", kText),
    Listed("resizePolicy"),
    Listed("livenessProbe"),
    Listed("readinessProbe"),
    Listed("startupProbe"),
    Listed("lifecycle"),
    Listed("stdin", kFlag),
    Listed("stdinOnce", kFlag),
    Listed("tty", kFlag),
};

constexpr KnownField kSecretVolume[] = {Plain("secretName", kText), Plain("items", kAny),
                                        Plain("defaultMode", kInteger), Plain("optional", kFlag)};
constexpr KnownField kConfigMapVolume[] = {Plain("name", kText), Plain("items", kAny),
                                           Plain("defaultMode", kInteger),
                                           Plain("optional", kFlag)};
constexpr KnownField kProjectedPart[] = {Plain("name", kText), Plain("items", kAny),
                                         Plain("optional", kFlag)};
constexpr KnownField kTokenPart[] = {Plain("audience", kText), Plain("expirationSeconds", kInteger),
                                     Plain("path", kText)};
constexpr KnownField kProjectedSource[] = {
    Object("secret", kProjectedPart),  Object("configMap", kProjectedPart),
    Plain("downwardAPI", kAny),        Object("serviceAccountToken", kTokenPart),
    Plain("clusterTrustBundle", kAny),
};
constexpr KnownField kProjectedVolume[] = {Objects("sources", kProjectedSource),
                                           Plain("defaultMode", kInteger)};
constexpr KnownField kClaimVolume[] = {Plain("claimName", kText), Plain("readOnly", kFlag)};
constexpr KnownField kHostPathVolume[] = {Plain("path", kText), Plain("type", kText)};
constexpr KnownField kEmptyDirVolume[] = {Plain("medium", kText), Plain("sizeLimit", kAny)};
constexpr KnownField kCsiVolume[] = {Plain("driver", kText), Plain("readOnly", kFlag),
                                     Plain("fsType", kText), Plain("volumeAttributes", kTextMap),
                                     Object("nodePublishSecretRef", kNamed)};
constexpr KnownField kNfsVolume[] = {Plain("server", kText), Plain("path", kText),
                                     Plain("readOnly", kFlag)};
constexpr KnownField kImageVolume[] = {Plain("reference", kText), Plain("pullPolicy", kText)};

constexpr KnownField kVolume[] = {
    Plain("name", kText),
    Object("secret", kSecretVolume),
    Object("configMap", kConfigMapVolume),
    Object("projected", kProjectedVolume),
    Object("persistentVolumeClaim", kClaimVolume),
    Object("hostPath", kHostPathVolume),
    Object("emptyDir", kEmptyDirVolume),
    Object("csi", kCsiVolume),
    Object("nfs", kNfsVolume),
    Object("image", kImageVolume),
    Plain("downwardAPI", kAny),
    Plain("ephemeral", kAny),
    Plain("awsElasticBlockStore", kAny),
    Plain("azureDisk", kAny),
    Plain("azureFile", kAny),
    Plain("cephfs", kAny),
    Plain("cinder", kAny),
    Plain("fc", kAny),
    Plain("flexVolume", kAny),
    Plain("flocker", kAny),
    Plain("gcePersistentDisk", kAny),
    Plain("gitRepo", kAny),
    Plain("glusterfs", kAny),
    Plain("iscsi", kAny),
    Plain("photonPersistentDisk", kAny),
    Plain("portworxVolume", kAny),
    Plain("quobyte", kAny),
    Plain("rbd", kAny),
    Plain("scaleIO", kAny),
    Plain("storageos", kAny),
    Plain("vsphereVolume", kAny),
};

constexpr KnownField kToleration[] = {Plain("key", kText), Plain("operator", kText),
                                      Plain("value", kText), Plain("effect", kText),
                                      Plain("tolerationSeconds", kInteger)};
constexpr KnownField kOs[] = {Plain("name", kText)};

constexpr KnownField kPod[] = {
    Objects("containers", kContainer),
    Objects("initContainers", kContainer),
    Objects("volumes", kVolume),
    Plain("restartPolicy", kText),
    Plain("serviceAccountName", kText),
    Plain("automountServiceAccountToken", kFlag),
    Plain("nodeSelector", kTextMap),
    Objects("tolerations", kToleration),
    Plain("hostNetwork", kFlag),
    Plain("hostPID", kFlag),
    Plain("hostIPC", kFlag),
    Object("securityContext", kPodSecurity),
    Objects("imagePullSecrets", kNamed),
    Plain("runtimeClassName", kText),
    Plain("priorityClassName", kText),
    Plain("schedulerName", kText),
    Plain("enableServiceLinks", kFlag),
    Object("os", kOs),
    Listed("affinity"),
    Listed("topologySpreadConstraints"),
    Listed("dnsPolicy", kText),
    Listed("dnsConfig"),
    Listed("hostname", kText),
    Listed("subdomain", kText),
    Listed("setHostnameAsFQDN", kFlag),
    Listed("hostAliases"),
    Listed("hostUsers", kFlag),
    Listed("shareProcessNamespace", kFlag),
    Listed("preemptionPolicy", kText),
    Listed("priority", kInteger),
    Listed("readinessGates"),
    {"schedulingGates", "", Type(kNamed), kObjects, true},
    Listed("resourceClaims"),
    Listed("activeDeadlineSeconds", kInteger),
    Refused("terminationGracePeriodSeconds", "is set by the pool's cancel_grace: leave it out"),
    Refused("nodeName", "passes the start gate by: use nodeSelector or affinity"),
    Refused("ephemeralContainers", "cannot be part of a Job"),
    Refused("serviceAccount", "is the old name of serviceAccountName: use that"),
    Refused("overhead", "is set by the cluster"),
    Refused("resources", "is not supported: give each container its own"),
};

constexpr KnownField kTemplate[] = {Object("metadata", kMetadata), Object("spec", kPod)};

constexpr KnownField kJobSpec[] = {
    Object("template", kTemplate),
    Plain("backoffLimit", kInteger),
    Plain("activeDeadlineSeconds", kInteger),
    Plain("parallelism", kInteger),
    Plain("completions", kInteger),
    Plain("completionMode", kText),
    Plain("suspend", kFlag),
    Refused("ttlSecondsAfterFinished", "is given as finished_job_ttl beside the manifest"),
    Refused("backoffLimitPerIndex", kOnePod),
    Refused("maxFailedIndexes", kOnePod),
    Refused("podFailurePolicy", kOnePod),
    Refused("successPolicy", kOnePod),
    Refused("podReplacementPolicy", kOnePod),
    Refused("managedBy", "is not possible: the cluster's own controller makes the Pod"),
    Refused("selector", "is set by the cluster"),
    Refused("manualSelector", "is not possible: the cluster sets the selector"),
};

constexpr KnownField kJob[] = {
    Plain("apiVersion", kText),
    Plain("kind", kText),
    Object("metadata", kMetadata),
    Object("spec", kJobSpec),
    Refused("status", "is the cluster's to say"),
};

}  // namespace

const KnownField* KnownType::Find(std::string_view name) const {
  const KnownField* found =
      std::find_if(begin(), end(), [name](const KnownField& field) { return field.name == name; });
  return found == end() ? nullptr : found;
}

KnownType JobType() { return Type(kJob); }
KnownType VolumeType() { return Type(kVolume); }

}  // namespace forebay::kubernetes
