// SPDX-License-Identifier: Apache-2.0
#pragma once

// A user's row, stages and policy, shared by the program that trains and the one that serves.

#include <partita/partita.hpp>

#include <cmath>

namespace pt = partita;

struct Trip {
    pt::Category boat;
    std::optional<float> wind;
    float miles = 0, hours = 0, price = 0;
};
BOOST_DESCRIBE_STRUCT(Trip, (), (boat, wind, miles, hours, price))

// A transformer in ten lines.
struct Speed {
    using stage_concept = pt::Transformer;
    static constexpr std::string_view id = "boats.Speed";
    using Inputs = pt::Columns<pt::Column<"miles", float>, pt::Column<"hours", float>>;
    using Outputs = pt::Columns<pt::Column<"speed", float>>;
    void operator()(std::span<const float> miles, std::span<const float> hours, std::span<float> speed) const {
        for (std::size_t i = 0; i < miles.size(); ++i) speed[i] = hours[i] > 0 ? miles[i] / hours[i] : 0;
    }
};

// A summary estimator in twenty-five: divides a column by its largest absolute value.
template <pt::Name Value>
struct ScaleByLargest {
    using stage_concept = pt::Estimator;
    static constexpr std::string_view id = "boats.ScaleByLargest";
    using Inputs = pt::Columns<pt::Column<Value, float>>;
    using Outputs = Inputs;
    struct Summary {
        pt::Max<float> largest;
        void update(std::span<const float> x, pt::Weights weights) {
            for (std::size_t i = 0; i < x.size(); ++i)
                if (weights[i] > 0) largest.add(std::abs(x[i]));
        }
        BOOST_DESCRIBE_CLASS(Summary, (), (largest), (), ())
    };
    struct Model {
        float largest = 1;
        void operator()(std::span<const float> x, std::span<float> out) const {
            for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] / largest;
        }
        BOOST_DESCRIBE_CLASS(Model, (), (largest), (), ())
    };
    Model finish(const Summary& seen) const { return {seen.largest.value().value_or(1)}; }
};

// A policy in forty: numbers go once around a circle, gathering, and once more, as they are.
class Circle {
  public:
    using transport = pt::InProcess;
    explicit Circle(pt::Link& link) : link_(link) {}
    std::size_t rank() const { return link_.rank(); }
    std::size_t size() const { return link_.size(); }

    void all_reduce(std::span<std::int64_t> words, pt::Reduction reduction) {
        if (rank() > 0) link_.combine(before(), words, reduction);
        if (size() > 1) link_.send(after(), words);
        if (size() > 1 && rank() + 1 < size()) link_.receive(before() /* the last */, words);
        if (size() > 1 && rank() + 2 < size()) link_.send(after(), words);
    }
    std::vector<pt::Bytes> all_gather(std::span<const std::byte> mine) {
        std::vector<pt::Bytes> all(size());
        all[rank()].assign(mine.begin(), mine.end());
        for (std::size_t step = 0; step + 1 < size(); ++step) {
            link_.send(after(), all[(rank() + size() - step) % size()]);
            all[(rank() + size() - step - 1) % size()] = link_.receive(before());
        }
        return all;
    }

  private:
    std::size_t after() const { return (rank() + 1) % size(); }
    std::size_t before() const { return (rank() + size() - 1) % size(); }
    pt::Link& link_;
};

inline auto price_pipeline() {
    return pt::Impute<"wind">{.strategy = pt::Imputation::median} | Speed{} |
           pt::map<"miles", "long_trip">([](float miles) { return miles > 30; }) | ScaleByLargest<"speed">{} |
           pt::OneHotEncode<"boat", pt::Unseen::all_zero>{} |
           pt::Assemble<"miles", "speed", "wind", "long_trip", "boat", "features">{} | pt::StandardScale<"features">{} |
           pt::LinearRegression<"features", "price">{.l2 = 1e-6};
}
using PriceModel = pt::Fitted<decltype(price_pipeline()), Trip>;
