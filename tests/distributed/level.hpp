// SPDX-License-Identifier: Apache-2.0
#pragma once

// An estimator whose summary is merged in floating point, so that its model shows the order of the merges.

#include <partita/math/weights.hpp>
#include <partita/stage/concepts.hpp>

#include <boost/describe.hpp>

#include <cstddef>
#include <span>
#include <string_view>

namespace pt = partita;

/// Equal only if the order of merges is.
struct RunningMean {
    double mean = 0, rows = 0;
    void update(std::span<const float> x, pt::Weights weights) {
        for (std::size_t i = 0; i < x.size(); ++i) {
            if (weights[i] == 0) continue;
            rows += weights[i];
            mean += (static_cast<double>(x[i]) - mean) * weights[i] / rows;
        }
    }
    void merge(const RunningMean& other) {
        if (other.rows == 0) return;
        mean += (other.mean - mean) * other.rows / (rows + other.rows);
        rows += other.rows;
    }
};

template <pt::Name Value>
struct Level {
    using stage_concept = pt::Estimator;
    static constexpr std::string_view id = "Level";
    using Inputs = pt::Columns<pt::Column<Value, float>>;
    using Outputs = pt::Columns<pt::Column<"level", double>>;
    using Summary = RunningMean;
    struct Model {
        double mean = 0;
        void operator()(std::span<const float> x, std::span<double> out) const {
            for (std::size_t i = 0; i < x.size(); ++i) out[i] = static_cast<double>(x[i]) - mean;
        }
        BOOST_DESCRIBE_CLASS(Model, (), (mean), (), ())
    };
    Model finish(const Summary& summary) const { return {summary.mean}; }
};
