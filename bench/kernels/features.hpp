// SPDX-License-Identifier: Apache-2.0
#pragma once

// A million rows of 28 normal numbers (or as many as asked for), in memory, with labels: what the kernels are timed on.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

struct Features {
    std::size_t n, p;
    std::vector<float> x;
    std::vector<double> y, labels;

    explicit Features(std::size_t rows = 1000000, std::size_t columns = 28)
        : n(rows), p(columns), x(rows * columns), y(rows), labels(rows) {
        std::uint64_t state = 1;
        for (float& v : x) {  // a sum of four 16-bit numbers: near enough to normal
            state = state * 6364136223846793005u + 1442695040888963407u;
            const std::uint64_t z = state ^ (state >> 29);
            v = static_cast<float>((z & 0xffff) + (z >> 16 & 0xffff) + (z >> 32 & 0xffff) + (z >> 48)) * 0x1p-15f -
                4.0f;
        }
        for (std::size_t r = 0; r < n; ++r) {
            y[r] = static_cast<double>(x[r * p]) * 0.5 + static_cast<double>(x[r * p + (p > 1)]);
            labels[r] = y[r] > 0.3 ? 1.0 : 0.0;
        }
    }
    std::size_t size_bytes() const { return x.size() * sizeof(float); }
};
