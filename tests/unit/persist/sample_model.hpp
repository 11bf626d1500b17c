// SPDX-License-Identifier: Apache-2.0
#pragma once

// A model of three stages that has every kind of persistable value, for the tests and the fuzz target of model files.

#include <partita/persist/value.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sample {

namespace pt = partita;

BOOST_DEFINE_ENUM_CLASS(Kind, inner, leaf, missing)

struct Split {
    std::int32_t feature = 0;
    double threshold = 0;
    bool left_is_default = false;
    std::string label;
    std::optional<float> weight;
    Kind kind = Kind::inner;
    std::vector<double> values;
    std::vector<std::string> tags;

    void validate() const {
        if (feature < 0) throw pt::ModelFileInvalid("a split's feature must not be negative");
    }
    friend bool operator==(const Split&, const Split&) = default;
};
BOOST_DESCRIBE_STRUCT(Split, (), (feature, threshold, left_is_default, label, weight, kind, values, tags))

struct Counted {
    std::uint64_t count = 0;
    friend bool operator==(const Counted&, const Counted&) = default;
};
BOOST_DESCRIBE_STRUCT(Counted, (), (count))

class Forest : public Counted {
  public:
    Forest() = default;
    explicit Forest(std::vector<Split> splits) : Counted{splits.size()}, splits_(std::move(splits)) {
        if (!splits_.empty()) first_ = splits_.front();
        for (const Split& split : splits_) flags_.push_back(split.left_is_default);
        lists_ = {{1}, {}, {2, 3}};
        root_ = Kind::leaf;
    }
    void validate() const {
        if (count != splits_.size()) throw pt::ModelFileInvalid("the count is not that of the splits");
    }
    const std::vector<Split>& splits() const { return splits_; }
    friend bool operator==(const Forest&, const Forest&) = default;

  private:
    std::vector<Split> splits_;
    Split first_;
    std::vector<bool> flags_;
    std::vector<std::vector<std::int16_t>> lists_;
    std::optional<Kind> root_;
    BOOST_DESCRIBE_CLASS(Forest, (Counted), (), (), (splits_, first_, flags_, lists_, root_))
};

struct Encoder {
    std::vector<std::string> categories;
    std::vector<std::uint8_t> bytes;
    std::string note;

    void validate() const {
        for (std::size_t i = 1; i < categories.size(); ++i) {
            if (!(categories[i - 1] < categories[i]))
                throw pt::ModelFileInvalid("categories must be sorted and unique");
        }
    }
    friend bool operator==(const Encoder&, const Encoder&) = default;
};
BOOST_DESCRIBE_STRUCT(Encoder, (), (categories, bytes, note))

/// A model that writes itself.
struct Linear {
    pt::Tensor<double> coefficients;
    std::optional<double> intercept;

    void save(pt::ModelWriter& writer) const {
        writer.tensor("coefficients", std::span<const double>(coefficients.values), coefficients.shape);
        pt::save_value(writer, "intercept", intercept);
    }
    void load(pt::ModelReader& reader) {
        coefficients = reader.tensor<double>("coefficients");
        pt::load_value(reader, "intercept", intercept);
    }
    void validate() const {
        for (const double value : coefficients.values) {
            if (!std::isfinite(value)) throw pt::ModelFileInvalid("coefficients must be finite");
        }
    }
    friend bool operator==(const Linear& a, const Linear& b) {
        return a.coefficients.shape == b.coefficients.shape && a.coefficients.values == b.coefficients.values &&
               a.intercept == b.intercept;
    }
};

struct Model {
    Forest forest;
    Encoder encoder;
    Linear linear;
    friend bool operator==(const Model&, const Model&) = default;
};

inline const std::vector<std::string> stage_ids{"forest", "encoder", "linear"};
inline const std::string fingerprint = "distance: float\nzone: category\nfare: double\n";

inline std::string save(const Model& model) {
    pt::ModelWriter writer({"0.1.0", "avx2+fma", "gcc 12.2.0", 42, 1000}, fingerprint);
    writer.begin_stage("forest", 1);
    pt::save_value(writer, "", model.forest);
    writer.begin_stage("encoder", 3);
    pt::save_value(writer, "", model.encoder);
    writer.begin_stage("linear", 2);
    pt::save_value(writer, "", model.linear);
    return writer.bytes();
}

inline Model load(std::string bytes) {
    pt::ModelReader reader(std::move(bytes), "sample");
    reader.expect(stage_ids, fingerprint);
    Model model;
    reader.enter_stage("forest", 1);
    pt::load_value(reader, "", model.forest);
    reader.enter_stage("encoder", 3);
    pt::load_value(reader, "", model.encoder);
    reader.enter_stage("linear", 2, 1);
    pt::load_value(reader, "", model.linear);
    reader.finish();
    return model;
}

/// A model of `size` splits and categories.
inline Model make(int size) {
    std::vector<Split> splits;
    Encoder encoder;
    for (int i = 0; i < size; ++i) {
        Split split;
        split.feature = i;
        split.threshold = i / 3.0;
        split.left_is_default = i % 2 == 0;
        split.label = std::string(static_cast<std::size_t>(i % 20), static_cast<char>('a' + i % 26));
        if (i % 3 != 0) split.weight = static_cast<float>(i);
        split.kind = static_cast<Kind>(i % 3);
        for (int j = 0; j < i % 4; ++j) split.values.push_back(j * 0.1);
        if (i % 5 == 0) split.tags = {"x", "", "tag" + std::to_string(i)};
        splits.push_back(std::move(split));
        std::string number = std::to_string(i);
        encoder.categories.push_back("zone " + std::string(6 - number.size(), '0') + number);
        encoder.bytes.push_back(static_cast<std::uint8_t>(i));
    }
    encoder.note = "caf\xC3\xA9";
    Linear linear{{{2, 3}, {1, -2.5, 1e-300, 0, 5e-324, 1e308}}, 0.1};
    return {Forest(std::move(splits)), std::move(encoder), std::move(linear)};
}

}  // namespace sample
