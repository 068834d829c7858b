#!/usr/bin/env python3
"""plume-infer serve's peer: the same model behind ONNX Runtime and FastAPI, set up as well as can be; serve.py runs it.

    serve_peer.py model.onnx --port 8081 --workers 1 --threads 2

JSON through orjson, .npy through numpy; inference in Starlette's thread pool, so that the event loop stays free.
GET /stages: CPU seconds of parsing and encoding so far, and how many requests they were.
"""

import argparse
import io
import os
import threading
import time

import fastapi
import numpy as np
import onnxruntime
import orjson
import uvicorn
from starlette.concurrency import run_in_threadpool

STAGES = {"requests": 0, "parse": 0.0, "encode": 0.0}
LOCK = threading.Lock()


def make_session():
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = int(os.environ["PEER_THREADS"])
    return onnxruntime.InferenceSession(os.environ["PEER_MODEL"], settings, providers=["CPUExecutionProvider"])


def parse(body, json):
    return np.asarray(orjson.loads(body), np.float32) if json else np.load(io.BytesIO(body))


def encode(probabilities, json):
    if json:
        return orjson.dumps({"predictions": probabilities}, option=orjson.OPT_SERIALIZE_NUMPY)
    file = io.BytesIO()
    np.save(file, probabilities)
    return file.getvalue()


def answer(session, body, json):
    times = [time.thread_time()]
    images = np.ascontiguousarray(parse(body, json).transpose(0, 3, 1, 2))
    times.append(time.thread_time())
    output = session.run(None, {"x": images})[0]
    times.append(time.thread_time())
    text = encode(np.ascontiguousarray(output.transpose(0, 2, 3, 1)), json)
    times.append(time.thread_time())
    with LOCK:
        STAGES["requests"] += 1
        STAGES["parse"] += times[1] - times[0]
        STAGES["encode"] += times[3] - times[2]
    return text


def make_app():
    app, session = fastapi.FastAPI(), make_session()

    @app.get("/ping")
    def ping():
        return fastapi.Response()

    @app.get("/stages")
    def stages():
        return STAGES

    @app.post("/invocations")
    async def invocations(request: fastapi.Request):
        body = await request.body()
        json = request.headers["content-type"] == "application/json"
        text = await run_in_threadpool(answer, session, body, json)
        return fastapi.Response(text, media_type="application/json" if json else "application/x-npy")

    return app


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    # Workers are processes of their own.
    os.environ |= {"PEER_MODEL": options.model, "PEER_THREADS": str(options.threads)}
    uvicorn.run(
        "serve_peer:make_app",
        factory=True,
        port=options.port,
        workers=options.workers,
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
