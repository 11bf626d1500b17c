#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws what simulated_scaling printed:  plot.py SCALING.csv PICTURE.svg"""
import csv
import math
import sys

lines = open(sys.argv[1], encoding="utf-8").read().splitlines()
notes = [line[2:] for line in lines if line.startswith("#")]
rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 460, 380, 62, 40, 20, 52
COLOURS = {"ring": "#1b6ca8", "tree": "#2e8b57", "server": "#c8553d", "ring-dense": "#8a8a8a"}
NAMES = {"ring": "RingAllReduce", "tree": "TreeAggregate", "server": "ParameterServer", "ring-dense": "RingAllReduce, all 2^24 deltas"}
TITLES = {"dense": "a pass and an all-reduce of 250 KB", "sparse": "a clock of a table of 2^24 keys"}


def text(x, y, content, anchor="middle", size=11, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" {extra}>{content}</text>'


def seconds(value):
    return f"{value:g} s" if value >= 1 else f"{value * 1e3:g} ms"


def panel(job, left):
    mine = [row for row in rows if row["job"] == job]
    workers = sorted({int(row["workers"]) for row in mine})
    times = [float(row["seconds"]) for row in mine] + [float(mine[0]["seconds"]) / workers[-1]]
    low, high = math.floor(math.log10(min(times)) + 0.01), math.ceil(math.log10(max(times)) - 0.01)
    inner_width, inner_height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(count):
        return left + LEFT + inner_width * math.log2(count) / math.log2(workers[-1])

    def y(value):
        return TOP + inner_height * (high - math.log10(value)) / (high - low)

    parts = [text(left + LEFT + inner_width / 2, 22, f"{job}: {TITLES[job]}", size=13)]
    for power in range(low, high + 1):
        parts.append(f'<path d="M{left + LEFT} {y(10 ** power):.1f}h{inner_width}" stroke="#ddd"/>')
        parts.append(text(left + LEFT - 6, y(10 ** power) + 4, seconds(10 ** power), "end"))
    for count in workers:
        parts.append(text(x(count), TOP + inner_height + 16, count))
    parts.append(text(left + LEFT + inner_width / 2, TOP + inner_height + 34, "workers"))
    first = float(mine[0]["seconds"])
    parts.append(f'<path d="M{x(1):.1f} {y(first):.1f}L{x(workers[-1]):.1f} {y(first / workers[-1]):.1f}" '
                 'stroke="#bbb" stroke-dasharray="4 4"/>')
    for place, policy in enumerate(dict.fromkeys(row["policy"] for row in mine)):
        points = [(x(int(row["workers"])), y(float(row["seconds"]))) for row in mine if row["policy"] == policy]
        parts.append('<polyline fill="none" stroke-width="2" stroke="{}" points="{}"/>'.format(
            COLOURS[policy], " ".join(f"{px:.1f},{py:.1f}" for px, py in points)))
        parts += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="2.5" fill="{COLOURS[policy]}"/>' for px, py in points]
        parts.append(text(left + LEFT + 8, TOP + inner_height - 10 - 15 * place, NAMES[policy], "start", 11,
                          f'fill="{COLOURS[policy]}"'))
    return parts


height = HEIGHT + 16 * len(notes) + 8
picture = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {height}" font-family="sans-serif">',
           f'<rect width="{2 * WIDTH}" height="{height}" fill="white"/>']
picture += panel("dense", 0) + panel("sparse", WIDTH)
picture += [text(12, HEIGHT + 12 + 16 * i, note, "start", 10, 'fill="#555"') for i, note in enumerate(notes)]
picture.append("</svg>")
open(sys.argv[2], "w", encoding="utf-8").write("\n".join(picture) + "\n")
