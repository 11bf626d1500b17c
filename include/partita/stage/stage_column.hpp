// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <partita/stage/concepts.hpp>

namespace partita::inline PARTITA_ABI::detail {

/// A stage and its column, for errors raised in code that no template argument names. Texts are made only when one is thrown.
struct StageColumn {
    std::string (*title)() = nullptr;
    std::string_view column{};

    /// "StandardScale<"features">: " and so on.
    std::string sentence(std::string_view rest) const {
        return (title == nullptr ? std::string("a stage") : title()) + ": " + std::string(rest);
    }
    Place place(std::int64_t row = -1) const {
        Place place;
        place.row = row;
        place.column = std::string(column);
        if (title != nullptr) place.stage = title();
        return place;
    }
    Place setting(std::string_view name) const {
        Place place = this->place();
        place.setting = std::string(name);
        return place;
    }
    /// What a fit throws that has nothing to learn from.
    [[noreturn]] void refuse_empty() const {
        throw EmptyDataset(
            sentence("there is no row of positive weight to learn from; check filters, splits and weights"), place());
    }
};

template <class StageType>
constexpr StageColumn stage_column() {
    return {&stage_title<StageType>, StageType::Inputs::inputs[0].name};
}

}  // namespace partita::inline PARTITA_ABI::detail
