#!/usr/bin/env python3
"""Shows a folder in a real TensorBoard and prints what it serves of it, as JSON: tensorboard_peer.py FOLDER

{"scalars": {tag: [[step, value]]}, "images": {tag: [[step, width, height]]}}
"""

import json
import struct
import sys
import time
import urllib.parse
import urllib.request

from tensorboard import program


def main():
    board = program.TensorBoard()
    board.configure(argv=[None, "--logdir", sys.argv[1], "--port", "0", "--load_fast", "false"])
    url = board.launch()

    def fetch(path, query):
        with urllib.request.urlopen(f"{url}data/plugin/{path}?{query}", timeout=10) as reply:
            return reply.read()

    def get(path, **query):
        return json.loads(fetch(path, urllib.parse.urlencode(query)))

    def size_of(image):  # as the PNG itself says
        return list(struct.unpack(">II", fetch("images/individualImage", image["query"])[16:24]))

    for _ in range(300):  # it reads in a thread of its own
        tags = get("scalars/tags").get(".", {})
        pictures = get("images/tags").get(".", {})
        if tags:
            break
        time.sleep(0.1)
    scalars = {tag: [row[1:] for row in get("scalars/scalars", run=".", tag=tag)] for tag in tags}
    images = {
        tag: [[one["step"], *size_of(one)] for one in get("images/images", run=".", tag=tag, sample=0)]
        for tag in pictures
    }
    print(json.dumps({"scalars": scalars, "images": images}))


if __name__ == "__main__":
    main()
