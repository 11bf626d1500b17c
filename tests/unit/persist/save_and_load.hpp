// SPDX-License-Identifier: Apache-2.0
#pragma once

// A value saved alone in a stage, and loaded again.

#include <partita/persist/value.hpp>

#include <string>

namespace sample {

namespace pt = partita;

template <class T>
std::string saved(const T& value) {
    pt::ModelWriter writer({}, "");
    writer.begin_stage("stage", 1);
    pt::save_value(writer, "value", value);
    return writer.bytes();
}
template <class T>
T loaded(const std::string& bytes) {
    pt::ModelReader reader(bytes, "m");
    reader.enter_stage("stage", 1);
    T value{};
    pt::load_value(reader, "value", value);
    reader.finish();
    return value;
}
template <class T>
bool comes_back(const T& value) {
    const std::string bytes = saved(value);
    const T again = loaded<T>(bytes);
    return again == value && saved(again) == bytes;
}
}  // namespace sample
