// SPDX-License-Identifier: Apache-2.0
#pragma once

// Handwritten digits, see digits.md.

#include <partita/data/column_type.hpp>

#include <boost/describe.hpp>

#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace partita_tests {

struct Digit {
    partita::Vector<float, 64> pixels;  ///< 0 to 1
    int digit;
    BOOST_DESCRIBE_CLASS(Digit, (), (pixels, digit), (), ())
};

inline std::vector<Digit> digits(const std::string& part) {
    std::ifstream in(std::string(PARTITA_SOURCE_DIR) + "/tests/unit/neural/digits_" + part + ".txt");
    std::vector<Digit> rows;
    for (std::string line; std::getline(in, line);) {
        Digit row{};
        for (std::size_t i = 0; i < 64; ++i) row.pixels[i] = static_cast<float>(line[i] - 'a') / 16.0f;
        row.digit = line[65] - '0';
        rows.push_back(row);
    }
    if (rows.empty()) throw std::runtime_error("the digits are not there");
    return rows;
}

}  // namespace partita_tests
