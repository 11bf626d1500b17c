// SPDX-License-Identifier: Apache-2.0
#pragma once

// Three stages of one's own: a transformer, an estimator that is a summary, and a resampler. docs/write-a-stage.md explains them.

#include <partita/core/random.hpp>
#include <partita/math/extremes.hpp>
#include <partita/stage/concepts.hpp>

#include <boost/describe.hpp>

#include <cmath>

namespace pt = partita;

// snippet: transformer
/// Kilometres per hour of each ride.
struct Speed {
    using stage_concept = pt::Transformer;
    static constexpr std::string_view id = "Speed";
    using Inputs = pt::Columns<pt::Column<"km", float>, pt::Column<"minutes", float>>;
    using Outputs = pt::Columns<pt::Column<"kmh", float>>;
    void operator()(std::span<const float> km, std::span<const float> minutes, std::span<float> kmh) const {
        for (std::size_t i = 0; i < km.size(); ++i) kmh[i] = minutes[i] > 0 ? 60 * km[i] / minutes[i] : 0;
    }
};
// end

// snippet: estimator
/// The value of a row, or the error that names the row.
inline float finite(std::span<const float> x, std::size_t row) {
    if (std::isfinite(x[row])) return x[row];
    throw pt::NonFiniteValue("a value is not finite; filter such rows", {.row = static_cast<std::int64_t>(row)});
}

/// Divides a column by the largest of its absolute values.
template <pt::Name Value>
struct ScaleByLargest {
    using stage_concept = pt::Estimator;
    static constexpr std::string_view id = "ScaleByLargest";
    using Inputs = pt::Columns<pt::Column<Value, float>>;
    using Outputs = Inputs;
    struct Summary {
        pt::Max<float> largest;
        void update(std::span<const float> x, pt::Weights weights) {
            for (std::size_t i = 0; i < x.size(); ++i) largest.add(weights[i] > 0 ? std::abs(finite(x, i)) : 0);
        }
        BOOST_DESCRIBE_CLASS(Summary, (), (largest), (), ())
    };
    struct Model {
        float largest = 1;
        void operator()(std::span<const float> x, std::span<float> out) const {
            for (std::size_t i = 0; i < x.size(); ++i) out[i] = finite(x, i) / largest;
        }
        BOOST_DESCRIBE_CLASS(Model, (), (largest), (), ())
    };
    Model finish(const Summary& seen) const {
        if (!(seen.largest.value() > 0.0F)) throw pt::EmptyDataset("there is no row with a value other than 0");
        return {*seen.largest.value()};
    }
};
// end

// snippet: resampler
/// Lets only a share of the short rides into the fits behind it, each with the weight of those it stands for.
struct ThinShortRides {
    using stage_concept = pt::Resampler;
    static constexpr std::string_view id = "ThinShortRides";
    using Inputs = pt::Columns<pt::Column<"km", float>>;
    double share = 0.25;
    void validate() const {
        if (!(share > 0 && share <= 1))
            throw pt::InvalidSetting("ThinShortRides: share must be above 0 and at most 1", {.setting = "share"});
    }
    void operator()(std::span<const float> km, std::span<const std::int64_t> row_ids, std::span<double> times) const {
        for (std::size_t i = 0; i < km.size(); ++i) {
            const bool drawn =
                pt::uniform(0, pt::stream_id("ThinShortRides"), static_cast<std::uint64_t>(row_ids[i])) < share;
            times[i] = km[i] >= 2 ? 1 : drawn ? 1 / share : 0;
        }
    }
    BOOST_DESCRIBE_CLASS(ThinShortRides, (), (share), (), ())
};
// end
