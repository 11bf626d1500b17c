// SPDX-License-Identifier: Apache-2.0
#pragma once

// A pipeline at compile time: a linked list of the tables in slots.hpp, one per stage. Names are resolved and mistakes found by
// ordinary functions over values; types are fetched only at the end.

#include <partita/pipeline/completeness.hpp>
#include <partita/pipeline/slots.hpp>

#include <utility>

namespace partita::inline PARTITA_ABI::detail {

/// What may be wrong with a stage at its place.
struct Mistake {
    enum class Cause : unsigned char {
        none,
        missing,
        wrong_type,
        missing_values,
        duplicate,
        leak,
        open_policy,
        misfit,      ///< in the stage's own words
        incomplete,  ///< a stage of one's own lacks a member
    } cause = Cause::none;
    int read = -1;  ///< which of the declared reads, or which output
    int slot = -1;  ///< the column at fault
    int near = -1;  ///< the column that was probably meant
    int way = -1;   ///< the column by which a target got among the features: a prediction of it, or the one at fault
};

/// The slots that a list of reads means; selectors stand for as many as they choose.
template <int Capacity>
struct Resolution {
    int slots[Capacity > 0 ? Capacity : 1]{};
    int count = 0;
    Mistake mistake;
};

constexpr bool has_selector(std::span<const Input> inputs) {
    for (const Input& input : inputs)
        if (is_selector(input.name)) return true;
    return false;
}

constexpr Mistake check_read(const NodeData& node, const Input& input, int read, int slot) {
    const ColumnType type = slot_info(node, slot).type;
    if (input.takes(type)) return {};
    ColumnType filled = type;
    filled.nullable = false;
    return {type.nullable && input.takes(filled) ? Mistake::Cause::missing_values : Mistake::Cause::wrong_type, read,
            slot, -1};
}

template <int Capacity>
constexpr Resolution<Capacity> resolve(const NodeData& node, std::span<const Input> inputs) {
    Resolution<Capacity> result;
    bool hidden[Capacity > 0 ? Capacity : 1]{};  // with a selector, the capacity is that of the table
    if (has_selector(inputs)) mark_hidden(node, hidden);
    for (int read = 0; read < static_cast<int>(inputs.size()); ++read) {
        const Input& input = inputs[static_cast<std::size_t>(read)];
        const int before = result.count;
        if (is_selector(input.name)) {
            for (int slot = 0; slot < slot_count(node); ++slot) {
                const SlotInfo& info = slot_info(node, slot);
                if (hidden[slot] || !selects(input.name, info.name, info.type)) continue;
                result.mistake = check_read(node, input, read, slot);
                if (result.mistake.cause != Mistake::Cause::none) return result;
                result.slots[result.count++] = slot;
            }
        } else if (const int slot = find_slot(node, input.name); slot >= 0) {
            result.mistake = check_read(node, input, read, slot);
            if (result.mistake.cause != Mistake::Cause::none) return result;
            result.slots[result.count++] = slot;
        }
        if (result.count == before) {
            result.mistake = {Mistake::Cause::missing, read, -1, near_slot(node, input.name)};
            return result;
        }
    }
    return result;
}

/// The table that a pipeline begins with.
template <class Row>
struct Source {
    static constexpr int position = 0;
    static constexpr auto table = [] {
        std::array<SlotInfo, columns_of<Row>.size()> slots{};
        for (std::size_t i = 0; i < slots.size(); ++i)
            slots[i] = {columns_of<Row>[i].name, columns_of<Row>[i].type, static_cast<int>(i), nullptr, 0};
        return slots;
    }();
    static constexpr NodeData data = [] {
        NodeData source{nullptr, table.data(), static_cast<int>(table.size()), 0};
        if constexpr (KnowsSources<Row>) source.holds = &TableOf<Row>::holds;
        return source;
    }();
    static constexpr Mistake mistake{};
};

template <class List>
struct TargetFlags;
template <class... Declarations>
struct TargetFlags<Columns<Declarations...>> {
    static constexpr std::array<bool, sizeof...(Declarations)> value{is_target<Declarations>...};
};

template <class Node, auto Slots>
struct ValuesAt {
    static constexpr ColumnType at(std::size_t i) { return slot_info(Node::data, Slots[i]).type; }
    template <std::size_t... I>
    static auto list(std::index_sequence<I...>)
        -> Types<typename ValueOfParts<at(I).kind, at(I).nullable, at(I).extent>::type...>;
    using type = decltype(list(std::make_index_sequence<Slots.size()>()));
};

template <template <class, class...> class>
struct AnyMisfit;
/// A stage that knows of column types that its inputs take and its kernel does not: `map`, by its function.
template <class StageType>
concept MayMisfit = requires { typename AnyMisfit<StageType::template MisfitFor>; };

/// What a stage says of the types that it is given: void if they are good.
template <class R, bool Asked>
struct MisfitOf {
    using type = void;
};
template <class R>
struct MisfitOf<R, true> {
    static constexpr auto slots = [] {
        std::array<int, static_cast<std::size_t>(R::read.count)> result{};
        for (std::size_t i = 0; i < result.size(); ++i) result[i] = R::read.slots[i];
        return result;
    }();
    template <class... V>
    static auto ask(Types<V...>) -> typename R::StageAt::template MisfitFor<wrong::AtStage<R::position>, V...>*;
    using type = std::remove_pointer_t<decltype(ask(typename ValuesAt<typename R::Previous, slots>::type{}))>;
};

/// What one stage reads at its place: resolved, or the first mistake.
template <class PreviousNode, class StageType, int Position>
struct Reads {
    using Previous = PreviousNode;
    using StageAt = StageType;
    using Inputs = typename StageType::Inputs;
    using FitInputs = typename FitInputsOf<StageType>::type;
    static constexpr int position = Position;

    static constexpr int capacity(std::span<const Input> inputs) {
        return has_selector(inputs) ? slot_count(Previous::data) + static_cast<int>(inputs.size())
                                    : static_cast<int>(inputs.size());
    }
    static constexpr auto read = resolve<capacity(Inputs::inputs)>(Previous::data, Inputs::inputs);
    static constexpr auto fit_read = resolve<capacity(FitInputs::inputs)>(Previous::data, FitInputs::inputs);

    static constexpr Mistake first_mistake() {
        if constexpr (requires { requires StageType::unseen_policy_is_open; })
            return {Mistake::Cause::open_policy, 0, -1, -1};
        if (fit_read.mistake.cause != Mistake::Cause::none) return fit_read.mistake;
        if (read.mistake.cause != Mistake::Cause::none) return read.mistake;
        for (std::size_t t = 0; t < FitInputs::size; ++t) {
            if (!TargetFlags<FitInputs>::value[t]) continue;
            const int target = find_slot(Previous::data, FitInputs::inputs[t].name);
            for (int i = 0; i < read.count; ++i)
                if (const int way = way_from(Previous::data, read.slots[i], slot_info(Previous::data, target).identity);
                    way >= 0)
                    return {Mistake::Cause::leak, static_cast<int>(t), read.slots[i], target, way};
        }
        return {};
    }
    /// The columns that the stage is fitted to predict; one more for stages that have none, since arrays have elements.
    static constexpr auto targets = [] {
        std::array<int, FitInputs::size + 1> result{};
        int count = 0;
        for (std::size_t t = 0; t < FitInputs::size; ++t)
            if (TargetFlags<FitInputs>::value[t])
                result[static_cast<std::size_t>(count++)] = find_slot(Previous::data, FitInputs::inputs[t].name);
        result[FitInputs::size] = count;
        return result;
    }();
    static constexpr Mistake mistake_of_columns = first_mistake();
    using Misfit =
        typename MisfitOf<Reads, MayMisfit<StageType> && mistake_of_columns.cause == Mistake::Cause::none>::type;
    using Lacks = typename MissingDeclaration<wrong::AtStage<Position>, StageType>::type;
    static constexpr Mistake read_mistake = !std::is_void_v<Lacks>    ? Mistake{Mistake::Cause::incomplete}
                                            : !std::is_void_v<Misfit> ? Mistake{Mistake::Cause::misfit}
                                                                      : mistake_of_columns;
};

/// One application of a stage: all of its inputs, or one column of those that its selector chose.
template <class R, int Index, bool Columnwise>
struct Instance {
    using StageAt = typename R::StageAt;
    static constexpr bool columnwise = Columnwise;

    template <int Count>
    static constexpr std::array<int, static_cast<std::size_t>(Count)> first(const int* slots) {
        std::array<int, static_cast<std::size_t>(Count)> result{};
        for (int i = 0; i < Count; ++i) result[static_cast<std::size_t>(i)] = slots[i];
        return result;
    }
    static constexpr auto inputs = first<Columnwise ? 1 : R::read.count>(R::read.slots + (Columnwise ? Index : 0));
    static constexpr auto fit_inputs =
        first<Columnwise ? 1 : R::fit_read.count>(R::fit_read.slots + (Columnwise ? Index : 0));

    using Values = typename ValuesAt<typename R::Previous, inputs>::type;
    using FitValues = typename ValuesAt<typename R::Previous, fit_inputs>::type;

    template <class... V>
    static auto outputs_for(Types<V...>) -> typename OutputsOf<StageAt, V...>::type;
    using Outputs = decltype(outputs_for(FitValues{}));

    template <class... V>
    static auto model_for(Types<V...>) -> typename ModelOf<StageAt, V...>::type;
    using Model = decltype(model_for(FitValues{}));

    static constexpr std::string_view output_name(std::size_t output) {
        return Columnwise ? slot_info(R::Previous::data, inputs[0]).name : Outputs::inputs[output].name;
    }
};

/// A stage at its place in the pipeline, with the columns it adds.
template <class R>
struct Node {
    using Previous = typename R::Previous;
    using StageAt = typename R::StageAt;
    static constexpr int position = R::position;

    static constexpr bool is_columnwise() {
        if constexpr (R::Inputs::size != 1) {
            return false;
        } else if constexpr (!is_selector(R::Inputs::inputs[0].name)) {
            return false;
        } else {
            return Instance<R, 0, true>::Outputs::inputs[0].name == R::Inputs::inputs[0].name;
        }
    }
    static constexpr bool columnwise = is_columnwise();
    static constexpr int instance_count = columnwise ? R::read.count : 1;
    template <int Index>
    using InstanceAt = Instance<R, Index, columnwise>;
    static constexpr int outputs_each = static_cast<int>(InstanceAt<0>::Outputs::size);

    template <int... I>
    static constexpr auto make_table(std::integer_sequence<int, I...>) {
        std::array<SlotInfo, static_cast<std::size_t>(instance_count * outputs_each)> slots{};
        (add<I>(slots.data()), ...);
        return slots;
    }
    template <int I>
    static constexpr void add(SlotInfo* slots) {
        using At = InstanceAt<I>;
        for (int o = 0; o < outputs_each; ++o) {
            const int slot = slot_count(Previous::data) + I * outputs_each + o;
            const int identity = At::inputs.size() == 1 ? slot_info(Previous::data, At::inputs[0]).identity : slot;
            const std::string_view name = At::output_name(static_cast<std::size_t>(o));
            slots[I * outputs_each + o] = {name,
                                           At::Outputs::inputs[static_cast<std::size_t>(o)].exact,
                                           identity,
                                           At::inputs.data(),
                                           static_cast<int>(At::inputs.size()),
                                           columnwise ? At::inputs[0] : find_slot(Previous::data, name),
                                           R::targets.data(),
                                           R::targets.back()};
        }
    }
    static constexpr auto table = make_table(std::make_integer_sequence<int, instance_count>());
    static constexpr NodeData data{&Previous::data, table.data(), static_cast<int>(table.size()),
                                   slot_count(Previous::data)};

    static constexpr Mistake first_mistake() {
        if (columnwise) return {};  // every output takes the place of its own input
        for (int o = 0; o < static_cast<int>(table.size()); ++o) {
            const std::string_view name = table[static_cast<std::size_t>(o)].name;
            const int hidden = table[static_cast<std::size_t>(o)].hides;
            bool replaces = hidden < 0;
            for (int i = 0; i < R::read.count; ++i) replaces |= R::read.slots[i] == hidden;
            if (!replaces) return {Mistake::Cause::duplicate, o, hidden, -1};
            for (int other = 0; other < o; ++other)
                if (table[static_cast<std::size_t>(other)].name == name)
                    return {Mistake::Cause::duplicate, o, hidden, -1};
        }
        return {};
    }
    static constexpr Mistake mistake_of_outputs = first_mistake();
    using Lacks = typename LacksAt<InstanceAt<0>, wrong::AtStage<position>,
                                   mistake_of_outputs.cause == Mistake::Cause::none>::type;
    static constexpr Mistake mistake = std::is_void_v<Lacks> ? mistake_of_outputs : Mistake{Mistake::Cause::incomplete};
    using Failed = R;
};

/// A stage that does not fit at its place.
template <class R>
struct BrokenNode {
    using Previous = typename R::Previous;
    using StageAt = typename R::StageAt;
    static constexpr int position = R::position;
    static constexpr Mistake mistake = R::read_mistake;
    using Lacks = typename R::Lacks;
    using Failed = R;
};

template <class R, bool Sound = R::read_mistake.cause == Mistake::Cause::none>
struct NodeFor {
    using type = Node<R>;
};
template <class R>
struct NodeFor<R, false> {
    using type = BrokenNode<R>;
};

/// The last node of a pipeline over a row, or the first one with a mistake: the check stops there.
template <bool Sound, class At, class... Stages>
struct Extend {
    using type = At;
};
template <class At, class Next, class... Rest>
struct Extend<true, At, Next, Rest...> {
    using NextNode = typename NodeFor<Reads<At, Next, At::position + 1>>::type;
    using type = typename Extend<NextNode::mistake.cause == Mistake::Cause::none, NextNode, Rest...>::type;
};

template <class Row, class... Stages>
using LastNode = typename Extend<true, Source<Row>, Stages...>::type;

/// The nodes of a sound pipeline from first to last.
template <class LastOne, class... Later>
struct NodeList : NodeList<typename LastOne::Previous, LastOne, Later...> {};
template <class Row, class... Later>
struct NodeList<Source<Row>, Later...> {
    using type = Types<Later...>;
};

}  // namespace partita::inline PARTITA_ABI::detail
