// Properties of rendering that hold for every template and every layer.

#include <rapidcheck.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "common/base/status.h"
#include "common/job_template/job_template.h"
#include "common/job_template/placeholder.h"
#include "common/job_template/rendered_job.h"

namespace forebay {
namespace {

// Few names, so that layers meet.
rc::Gen<std::string> Name() { return rc::gen::element<std::string>("a", "b", "c", "env", "x-y"); }

// A map has at most as many members as there are names to draw from.
template <typename Value>
rc::Gen<std::map<std::string, Value>> Members(rc::Gen<std::string> names, rc::Gen<Value> values) {
  return rc::gen::map(
      rc::gen::resize(5, rc::gen::container<std::vector<std::pair<std::string, Value>>>(
                             rc::gen::pair(std::move(names), std::move(values)))),
      [](const std::vector<std::pair<std::string, Value>>& pairs) {
        return std::map<std::string, Value>(pairs.begin(), pairs.end());
      });
}

rc::Gen<Json> Leaf() {
  return rc::gen::oneOf(
      rc::gen::just(Json()),
      rc::gen::map(rc::gen::arbitrary<bool>(), [](bool v) { return Json(v); }),
      rc::gen::map(rc::gen::arbitrary<int64_t>(), [](int64_t v) { return Json(v); }),
      rc::gen::map(rc::gen::string<std::string>(),
                   [](const std::string& v) { return Json(DumpJson(Json(v))); }),
      rc::gen::map(rc::gen::element<std::string>("", "{{ a }}", "x{{b}}y", "{{ c.a[0] }}", "{{",
                                                 "}}", "{{ env.A }}", "{{{ a }}}"),
                   [](const std::string& v) { return Json(v); }));
}

rc::Gen<Json> Tree(int depth) {
  if (depth == 0) return Leaf();
  const auto list =
      rc::gen::map(rc::gen::resize(3, rc::gen::container<std::vector<Json>>(Tree(depth - 1))),
                   [](const std::vector<Json>& items) { return Json(items); });
  const auto object = rc::gen::map(Members<Json>(Name(), Tree(depth - 1)),
                                   [](const std::map<std::string, Json>& members) {
                                     Json value = Json::object();
                                     for (const auto& [name, member] : members)
                                       value[name] = member;
                                     return value;
                                   });
  return rc::gen::oneOf(Leaf(), list, object);
}

rc::Gen<Json> Object(int depth) {
  return rc::gen::map(Members<Json>(Name(), Tree(depth)), [](const auto& members) {
    Json value = Json::object();
    for (const auto& [name, member] : members) {
      if (name == "env" && !member.is_object()) continue;
      value[name] = member;
    }
    return value;
  });
}

rc::Gen<Json> Configuration() {
  return rc::gen::map(Members<Json>(Name(), Tree(2)), [](const auto& members) {
    Json value = Json::object();
    for (const auto& [name, member] : members) value[name] = member;
    return value;
  });
}

JobTemplate MakeTemplate(const Json& configuration, const Json& defaults) {
  Json properties = Json::object();
  for (const char* name : {"a", "b", "c", "env", "x-y"}) properties[name] = Json::object();
  for (const auto& [name, value] : defaults.items()) properties[name]["default"] = value;
  Json document = Json::object();
  document["job_configuration"] = configuration;
  document["variables"]["properties"] = properties;
  const auto job_template = JobTemplate::Parse(DumpJson(document));
  RC_ASSERT(job_template.ok());
  return *job_template;
}

RenderedJob Rendered(const JobTemplate& job_template, const Json& deployment, const Json& run) {
  auto job = job_template.Render(deployment, run);
  RC_ASSERT(job.ok());
  return *std::move(job);
}

bool HasPlaceholder(const Json& node) {
  if (node.is_string()) {
    const auto parts = SplitPlaceholders(node.get_ref<const std::string&>());
    return std::any_of(parts.begin(), parts.end(),
                       [](const TextPart& part) { return part.path.has_value(); });
  }
  return node.is_structured() && std::any_of(node.begin(), node.end(), HasPlaceholder);
}

void CollectLeaves(const Json& node, const std::string& pointer, std::set<std::string>& leaves) {
  if (!node.is_structured() || node.empty()) {
    leaves.insert(pointer);
    return;
  }
  const Json flat = node.flatten();
  for (const auto& [pointer_of_leaf, value] : flat.items())
    leaves.insert(pointer + pointer_of_leaf);
}

bool PartsJoinToTheText() {
  return rc::check("the parts of a text, joined, are the text", [] {
    const auto text = *rc::gen::container<std::string>(
        rc::gen::element('{', '}', ' ', 'a', '.', '[', ']', '0', '\n'));
    std::string joined;
    for (const TextPart& part : SplitPlaceholders(text)) joined += part.text;
    RC_ASSERT(joined == text);
  });
}

bool NoPlaceholderNoChange() {
  return rc::check("a configuration without placeholders comes out as it went in", [] {
    Json configuration = *Configuration();
    configuration.erase("env");
    RC_PRE(!HasPlaceholder(configuration));
    const auto job = Rendered(MakeTemplate(configuration, Json::object()), *Object(1), *Object(1));
    RC_ASSERT(job.configuration == configuration);
    for (const LeafOrigin& leaf : job.origins) RC_ASSERT(leaf.origin == Origin::kTemplate);
  });
}

bool EveryLeafHasOneOrigin() {
  return rc::check("every leaf has exactly one origin", [] {
    const auto job = Rendered(MakeTemplate(*Configuration(), *Object(2)), *Object(2), *Object(2));
    std::set<std::string> leaves;
    CollectLeaves(job.configuration, "", leaves);
    std::set<std::string> noted;
    for (const LeafOrigin& leaf : job.origins) RC_ASSERT(noted.insert(leaf.pointer).second);
    RC_ASSERT(noted == leaves);
  });
}

bool WholeTemplateOf(const char* label, bool as_run) {
  return rc::check(label, [as_run] {
    const Json configuration = {
        {"a", "{{ a }}"}, {"b", "{{ b }}"}, {"c", "{{ c }}"}, {"x-y", "{{ x-y }}"}};
    const Json lower = *Object(2);
    Json upper = *Object(2);
    upper.erase("env");
    const auto job_template = MakeTemplate(configuration, as_run ? *Object(1) : lower);
    const auto job = as_run ? Rendered(job_template, lower, upper)
                            : Rendered(job_template, upper, Json::object());
    for (const auto& [name, value] : upper.items()) RC_ASSERT(job.configuration[name] == value);
  });
}

bool EnvIsMergedByName() {
  return rc::check("in env the higher layer wins name by name and no name is lost", [] {
    const auto layer =
        Members<int>(rc::gen::element<std::string>("A", "B", "C", "D"), rc::gen::arbitrary<int>());
    const std::map<std::string, int> layers[] = {*layer, *layer, *layer, *layer};
    std::map<std::string, int> expected;
    Json values[4];
    for (int i = 0; i < 4; ++i) {
      values[i] = Json::object();
      for (const auto& [name, value] : layers[i]) expected[name] = values[i][name] = value;
    }
    const Json configuration = {{"env", values[0]}};
    const auto job = Rendered(MakeTemplate(configuration, {{"env", values[1]}}),
                              {{"env", values[2]}}, {{"env", values[3]}});
    RC_ASSERT((job.configuration["env"].get<std::map<std::string, int>>() == expected));
  });
}

bool DottedMeansNested() {
  return rc::check("a dotted key means the nested object", [] {
    const auto value = *Leaf();
    const auto job_template = MakeTemplate({{"a", "{{ a }}"}}, Json::object());
    const Json dotted = {{"a.b.c", value}};
    const Json nested = {{"a", {{"b", {{"c", value}}}}}};
    RC_ASSERT(Rendered(job_template, dotted, Json::object()).configuration ==
              Rendered(job_template, nested, Json::object()).configuration);
  });
}

// What rendering made of values may look like placeholders; as a template of its own it is another
// matter, so only what holds no braces is rendered again.
bool RenderingTheResultChangesNothing() {
  return rc::check("what holds no placeholder is rendered as it is", [] {
    const auto job_template = MakeTemplate(*Configuration(), *Object(2));
    const auto first = Rendered(job_template, *Object(2), *Object(2));
    RC_PRE(DumpJson(first.configuration).find("{{") == std::string::npos);
    const auto second =
        Rendered(MakeTemplate(first.configuration, Json::object()), Json::object(), Json::object());
    RC_ASSERT(second.configuration == first.configuration);
  });
}

bool ValuesAreNotLookedInto() {
  return rc::check("a value comes out as it went in, whatever is written in it", [] {
    Json properties = Json::object();
    properties["v"] = Json::object();
    const Json value = *Tree(2);
    const auto job_template = MakeTemplate({{"at", "{{ v }}"}}, properties);
    const auto job = Rendered(job_template, {{"v", value}}, Json::object());
    RC_ASSERT(job.configuration["at"] == value);
  });
}

bool RenderingTwiceIsTheSame() {
  return rc::check("rendering has no memory", [] {
    const auto job_template = MakeTemplate(*Configuration(), *Object(2));
    const Json deployment = *Object(2);
    const Json run = *Object(2);
    const auto first = Rendered(job_template, deployment, run);
    const auto second = Rendered(job_template, deployment, run);
    RC_ASSERT(first.configuration == second.configuration);
    RC_ASSERT(first.origins == second.origins);
  });
}

}  // namespace
}  // namespace forebay

// rapidcheck's own answer of whether a property held.
int main() {
  bool ok = true;
  ok = forebay::PartsJoinToTheText() && ok;
  ok = forebay::NoPlaceholderNoChange() && ok;
  ok = forebay::EveryLeafHasOneOrigin() && ok;
  ok = forebay::WholeTemplateOf("a deployment's value wins over the default", false) && ok;
  ok = forebay::WholeTemplateOf("a run's value wins over the deployment's", true) && ok;
  ok = forebay::EnvIsMergedByName() && ok;
  ok = forebay::DottedMeansNested() && ok;
  ok = forebay::RenderingTheResultChangesNothing() && ok;
  ok = forebay::ValuesAreNotLookedInto() && ok;
  ok = forebay::RenderingTwiceIsTheSame() && ok;
  return ok ? 0 : 1;
}
