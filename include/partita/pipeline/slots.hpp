// SPDX-License-Identifier: Apache-2.0
#pragma once

// The columns along a pipeline as plain tables, one per stage: what a name means at each point, and where values came from.

#include <partita/core/name.hpp>
#include <partita/core/near_name.hpp>
#include <partita/data/schema.hpp>

#include <cstddef>
#include <string_view>

namespace partita::inline PARTITA_ABI::detail {

/// One column that ever existed along the pipeline. Slots number them: first the row's columns, then each stage's outputs.
struct SlotInfo {
    std::string_view name;
    ColumnType type;
    int identity = -1;  ///< the slot it counts as, for leakage: of a column computed from one column, that one's
    const int* parents = nullptr;
    int parent_count = 0;
    int hides = -1;                ///< the earlier slot of the same name, or -1
    const int* targets = nullptr;  ///< what its stage was fitted to predict: no input, but the values come from it too
    int target_count = 0;
};

/// The columns that one stage adds, or that the table at the beginning has.
struct NodeData {
    const NodeData* previous;
    const SlotInfo* added;
    int added_count;
    int first;  ///< slot of the first added column
    /// At the beginning, where it is known: whether values of the one column came from the other.
    bool (*holds)(std::size_t column, std::size_t other) = nullptr;
};

constexpr int slot_count(const NodeData& node) { return node.first + node.added_count; }

constexpr const SlotInfo& slot_info(const NodeData& node, int slot) {
    const NodeData* at = &node;
    while (slot < at->first) at = at->previous;
    return at->added[slot - at->first];
}

/// The name of a slot's column, as a template argument.
template <const NodeData& Data, int Slot>
consteval auto slot_name() {
    return name_from([] { return slot_info(Data, Slot).name; });
}

/// The slot that a name means at this point of the pipeline, or -1. Later columns hide earlier ones of the same name.
constexpr int find_slot(const NodeData& node, std::string_view name) {
    for (const NodeData* at = &node; at != nullptr; at = at->previous)
        for (int i = at->added_count - 1; i >= 0; --i)
            if (at->added[i].name == name) return at->first + i;
    return -1;
}

/// The column, the later ones first, whose name is near enough to be meant, or -1.
constexpr int near_slot(const NodeData& node, std::string_view name) {
    const int last = slot_count(node) - 1;
    const int back = near_name(name, last + 1, [&](int i) { return slot_info(node, last - i).name; });
    return back < 0 ? -1 : last - back;
}

/// Marks the slots that later columns of the same name hide. `hidden` has room for all slots. (By comparing all names, wide tables
/// would go beyond what clang evaluates.)
constexpr void mark_hidden(const NodeData& node, bool* hidden) {
    for (const NodeData* at = &node; at != nullptr; at = at->previous)
        for (int i = 0; i < at->added_count; ++i)
            if (at->added[i].hides >= 0) hidden[at->added[i].hides] = true;
}

/// The table that a pipeline begins with.
constexpr const NodeData& source_of(const NodeData& node) {
    const NodeData* at = &node;
    while (at->previous != nullptr) at = at->previous;
    return *at;
}

/// The column by which values of the column with that identity reach a slot, or -1: the slot itself where it is that column or was
/// computed from it, and the prediction on its way where a learner brought them, as what it was fitted to predict.
constexpr int way_from(const NodeData& node, int slot, int identity) {
    const SlotInfo& info = slot_info(node, slot);
    if (info.identity == identity) return slot;
    if (const NodeData& source = source_of(node); slot < source.added_count) {
        const bool held = source.holds != nullptr && identity < source.added_count &&
                          source.holds(static_cast<std::size_t>(slot), static_cast<std::size_t>(identity));
        return held ? slot : -1;
    }
    for (int i = 0; i < info.target_count; ++i)
        if (way_from(node, info.targets[i], identity) >= 0) return slot;
    for (int i = 0; i < info.parent_count; ++i)
        if (const int way = way_from(node, info.parents[i], identity); way >= 0)
            return slot_info(node, way).target_count > 0 ? way : slot;
    return -1;
}

}  // namespace partita::inline PARTITA_ABI::detail
