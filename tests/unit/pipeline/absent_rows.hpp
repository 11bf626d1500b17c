// SPDX-License-Identifier: Apache-2.0
#pragma once

// A table with rows of weight 0 that stages refuse.

#include "rides.hpp"

#include <limits>

namespace absent_rows {

namespace pt = partita;

struct Weighed {
    float km = 0;
    std::optional<float> tip{};
    float fare = 0;
    bool far = false;
    double weight = 1;
};
BOOST_DESCRIBE_STRUCT(Weighed, (), (km, tip, fare, far, weight))

/// Three blocks; all of block 1 and rows of the others weigh nothing, and hold what stages refuse.
inline std::vector<Weighed> make() {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    std::vector<Weighed> rows;
    for (std::size_t i = 0; const rides::Ride& ride : rides::make()) {
        Weighed row{ride.km, ride.tip, ride.fare, ride.km > 20, 0.1 * static_cast<double>(1 + i % 7)};
        if (i / 4096 == 1 || i % 11 == 3) {
            row.weight = i % 2 == 0 ? 0.0 : -0.0;
            (i % 3 == 0 ? row.km : i % 3 == 1 ? row.fare : row.tip.emplace()) = infinity;
        }
        rows.push_back(row);
        ++i;
    }
    return rows;
}

inline auto pipeline() {
    return pt::Impute<"tip">{} | pt::StandardScale<"km">{} | pt::Assemble<"km", "tip", "features">{} |
           pt::LinearRegression<"features", "fare">{};
}

inline constexpr auto counts = [](double weight) { return weight != 0; };

inline std::vector<double> numbers_of(const auto& model) {
    std::vector<double> numbers{model.predict(Weighed{.km = 3}), model.predict(Weighed{.km = 3, .tip = 1.0f})};
    for (const pt::NamedCoefficient& coefficient : model.coefficients()) numbers.push_back(coefficient.value);
    return numbers;
}

template <class Action>
std::string outcome(Action action) {
    try {
        action();
    } catch (const pt::Error& error) {
        return std::string(error.cause()) + " in " + error.place().stage + ", block " +
               std::to_string(error.place().block) + ", row " + std::to_string(error.place().row) + ": " + error.what();
    }
    return "fine";
}

}  // namespace absent_rows
