"""The least that runs an entrypoint: passes the gate, prints, logs, reports; driven by its arguments. Usage: mini_engine.py
STEP…  with steps  gate  print=TEXT  log=TEXT  completed  failed=TEXT  beat-until-cancel  sleep=SECONDS  exit=CODE  kill
In the TEXT of failed, \\0 stands for that character."""

import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request

URL = os.environ["FOREBAY_API_URL"]
RUN = os.environ["FOREBAY_RUN_ID"]
credential = os.environ.pop("FOREBAY_LAUNCH_TICKET")
logged = 0


def call(method: str, **fields) -> dict:
    request = urllib.request.Request(
        f"{URL}/forebay.v1.RunService/{method}",
        json.dumps({"runId": RUN, **fields}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {credential}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        reason = json.load(error)["details"][0]["debug"]["reason"]
        print(f"{method}: {reason}", flush=True)
        sys.exit(75)


def log(text: str):
    global logged
    entry = {"timeMicros": time.time_ns() // 1000, "stream": "LOG_STREAM_STDOUT", "text": text}
    logged = int(call("AppendLogs", firstSequence=logged, entries=[entry])["nextSequence"])


def beat_until_cancel():
    while not call("Heartbeat").get("cancelWanted"):
        time.sleep(0.05)


signal.signal(signal.SIGTERM, lambda *_: None)
for step in sys.argv[1:]:
    name, _, value = step.partition("=")
    if name == "gate":
        context = call("StartAttempt")
        credential = context["runToken"]
        print("context", json.dumps({key: context.get(key) for key in ("entrypoint", "pullSteps", "parameters")}), flush=True)
    elif name == "print":
        print(value, flush=True)
    elif name == "log":
        log(value)
    elif name == "completed":
        call("ReportState", type="STATE_TYPE_COMPLETED")
    elif name == "failed":
        call("ReportState", type="STATE_TYPE_FAILED", message=value.replace("\\0", "\0"))
    elif name == "beat-until-cancel":
        beat_until_cancel()
    elif name == "sleep":
        time.sleep(float(value))
    elif name == "exit":
        os._exit(int(value))
    elif name == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    else:
        sys.exit(f"unknown step {step}")
