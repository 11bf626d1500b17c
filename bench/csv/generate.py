#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the three text tables that bench/csv measures, about 200 MB each, the same bytes every time.

usage: generate.py FOLDER [MEGABYTES]

numeric.csv  29 columns of numbers: a label and 28 features of four to nine significant digits
mixed.csv    9 columns: a time, two categories, integers, floats, some missing
quoted.csv   6 columns: quoted texts with delimiters, doubled quotes and line ends in them, and numbers
"""
import pathlib
import random
import sys


def numeric(rng):
    forms = ["%.6f", "%.4f", "%.5f", "%.7g", "%.9g", "%.3f", "%.2f"]
    head = "label," + ",".join(f"f_{i}" for i in range(28)) + "\n"
    form = "%d," + ",".join(forms[i % len(forms)] for i in range(28)) + "\n"
    gauss = rng.gauss
    return head, lambda row: form % ((rng.random() < 0.5,) + tuple(gauss(0, 1 + i % 5) for i in range(28)))


def mixed(rng):
    zones = [f"zone {i:03d}" for i in range(260)]
    kinds = ["card", "cash", "dispute", "no charge", "unknown"]

    def row(number):
        second = number * 7 % 31536000
        day, rest = divmod(second, 86400)
        month, date = divmod(day, 28)
        stamp = "2023-%02d-%02d %02d:%02d:%02d" % (month % 12 + 1, date + 1, rest // 3600, rest // 60 % 60, rest % 60)
        passengers = "" if rng.random() < 0.05 else str(rng.randint(1, 6))
        distance = rng.expovariate(0.35)
        return "%s,%s,%s,%s,%.2f,%.2f,%d,%.2f,%s\n" % (
            stamp, rng.choice(zones), rng.choice(zones), passengers, distance, 3 + 2.5 * distance + rng.random(),
            rng.randint(0, 10**rng.randint(1, 9)), rng.random() * 10, rng.choice(kinds))

    return "pickup,zone_from,zone_to,passengers,distance,fare,meter,tip,payment\n", row


def quoted(rng):
    words = ["alpha", "beta", "gamma", "delta", "it was said", "see above", "ex works", "north, south", 'the "best" one',
             "first line\nsecond line", "plain", "nothing to add"]
    brands = [f"Brand, No. {i}" for i in range(500)]

    def row(number):
        note = " ".join(rng.choice(words) for _ in range(rng.randint(1, 6))).replace('"', '""')
        return '%d,"%s","%s",%.3f,"%d",%s\n' % (number, rng.choice(brands), note, rng.random() * 1000, rng.randint(0, 99999),
                                               rng.choice(words[:4]))

    return "id,brand,note,price,stock,word\n", row


def main():
    folder = pathlib.Path(sys.argv[1])
    target = float(sys.argv[2]) * 1e6 if len(sys.argv) > 2 else 200e6
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in (("numeric", numeric), ("mixed", mixed), ("quoted", quoted)):
        rng = random.Random(20240229)
        head, row = make(rng)
        with open(folder / f"{name}.csv", "w", newline="") as file:
            size, number = file.write(head), 0
            while size < target:
                lines = [row(number + i) for i in range(10000)]
                number += len(lines)
                size += file.write("".join(lines))
        print(f"{name}.csv: {number} rows, {size / 1e6:.0f} MB")


main()
