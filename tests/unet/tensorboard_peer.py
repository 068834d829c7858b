#!/usr/bin/env python3
"""Shows a folder in a real TensorBoard and prints what it serves of it, as JSON: tensorboard_peer.py FOLDER

{"scalars": {tag: [[step, value]]}, "images": {tag: [[step, width, height]]}}
"""

import json
import sys
import time
import urllib.parse
import urllib.request

from tensorboard import program


def main():
    board = program.TensorBoard()
    board.configure(argv=[None, "--logdir", sys.argv[1], "--port", "0", "--load_fast", "false"])
    url = board.launch()

    def get(path, **query):
        address = f"{url}data/plugin/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=10) as reply:
            return json.load(reply)

    for _ in range(300):  # it reads in a thread of its own
        tags = get("scalars/tags").get(".", {})
        pictures = get("images/tags").get(".", {})
        if tags:
            break
        time.sleep(0.1)
    scalars = {tag: [row[1:] for row in get("scalars/scalars", run=".", tag=tag)] for tag in tags}
    images = {
        tag: [[one["step"], one["width"], one["height"]] for one in get("images/images", run=".", tag=tag, sample=0)]
        for tag in pictures
    }
    print(json.dumps({"scalars": scalars, "images": images}))


if __name__ == "__main__":
    main()
