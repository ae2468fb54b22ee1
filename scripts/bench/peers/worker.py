"""One contestant: a process that answers requests on standard input, a line of JSON each, until it is ended."""

import json
import sys
import time

run = None


def prepare(kind, work, side, path, channels_last=False, bfloat16=False, processes=1, **_):
    global run
    if kind == "pillow":
        from works import pipeline

        run = pipeline(path, side, processes)
        return {}
    if kind == "onnxruntime":
        from works import onnx_inference

        run = onnx_inference(path, side)
        return {}
    import works_torch

    run = works_torch.WORKS[work](path, side, channels_last=channels_last, bfloat16=bfloat16)
    return {}


def turn(turnMs, batch):
    times = []
    end = time.perf_counter() + turnMs / 1000
    while True:
        start = time.perf_counter()
        run(batch)
        now = time.perf_counter()
        times.append((now - start) * 1000 / batch)
        if now >= end:
            return {"times": times}


def gemm(shape):
    import works_torch

    return {"rate": works_torch.gemm(*shape)}


def verify(weights, check, checkpoint, onnx, side):
    import works_torch

    return works_torch.verify(weights, check, checkpoint, onnx, side)


REQUESTS = {"open": prepare, "turn": turn, "gemm": gemm, "verify": verify}

if __name__ == "__main__":
    for line in sys.stdin:
        message = json.loads(line)
        try:
            answer = REQUESTS[message.pop("do")](**message)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps({"answer": answer}, separators=(",", ":")), flush=True)
