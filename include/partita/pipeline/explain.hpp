// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a mistake, found as a value, to the compile error that a person reads: first an undefined type that carries the facts,
// then a sentence with the remedy.

#include <partita/data/role.hpp>
#include <partita/pipeline/node.hpp>

namespace partita::inline PARTITA_ABI::detail {

/// Takes the place of a result that cannot be: converts to anything and has every member a program may ask for, so that
/// nothing follows the one error that explains.
struct Absorb {
    template <class T>
    operator T() const;
    template <class... Any>
    Absorb fit(const Any&...) const;
    template <class... Any>
    Absorb transform(const Any&...) const;
    template <class... Any>
    Absorb predict(const Any&...) const;
    template <class... Any>
    Absorb operator()(const Any&...) const;
};

template <const NodeData& Data, int Slot>
consteval auto slot_kind() {
    return name_from([] { return kind_name(slot_info(Data, Slot).type.kind); });
}

/// The visible columns of a table, for "has": the last few, since those are the ones a pipeline has just made.
template <class Node, class Slots>
struct HasColumns;
template <class Node, std::size_t... I>
struct HasColumns<Node, std::index_sequence<I...>> {
    static constexpr int total = slot_count(Node::data);
    using type = wrong::Has<slot_name<Node::data, total - 1 - static_cast<int>(I)>()...>;
};
template <class Node>
using Has =
    typename HasColumns<Node, std::make_index_sequence<slot_count(Node::data) < 8 ? slot_count(Node::data) : 8>>::type;

template <Mistake::Cause Cause, class Failed>
struct Explain {};  // nothing is wrong

/// What stands beside a missing column: the name that was probably meant, or those that there are.
template <class Node, int Near>
struct Hint {
    using type = wrong::DidYouMean<slot_name<Node::data, Near>()>;
};
template <class Node>
struct Hint<Node, -1> {
    using type = Has<Node>;
};

/// The list of reads in which the mistake was found.
template <class F>
using MistakenInputs = std::conditional_t<F::Failed::fit_read.mistake.cause != Mistake::Cause::none,
                                          typename F::Failed::FitInputs, typename F::Failed::Inputs>;

template <class F>
consteval auto wanted_name() {
    return name_from([] { return MistakenInputs<F>::inputs[static_cast<std::size_t>(F::mistake.read)].name; });
}
template <class F>
consteval auto wanted_kinds() {
    return name_from(
        [] { return kinds_in_words(MistakenInputs<F>::inputs[static_cast<std::size_t>(F::mistake.read)]); });
}

template <class F>
struct Explain<Mistake::Cause::missing, F> {
    static_assert(
        sizeof(wrong::ColumnIsMissing<wrong::AtStage<F::position>, typename F::StageAt, wrong::Wanted<wanted_name<F>()>,
                                      typename Hint<typename F::Previous, F::mistake.near>::type>) == 0,
        "a stage reads a column that is not there: correct the name, or put the stage that makes the column before it");
};

template <class F>
struct Explain<Mistake::Cause::wrong_type, F> {
    static_assert(sizeof(wrong::ColumnHasWrongType<wrong::AtStage<F::position>, typename F::StageAt,
                                                   wrong::OfColumn<slot_name<F::Previous::data, F::mistake.slot>()>,
                                                   wrong::GivenKind<slot_kind<F::Previous::data, F::mistake.slot>()>,
                                                   wrong::TakesKinds<wanted_kinds<F>()>>) == 0,
                  "a stage cannot work on a column of this type: convert the column by a stage before it (map, "
                  "OneHotEncode, Assemble), or name another");
};

template <class F>
struct Explain<Mistake::Cause::missing_values, F> {
    static_assert(
        sizeof(wrong::ColumnMayBeMissingValues<wrong::AtStage<F::position>, typename F::StageAt,
                                               wrong::OfColumn<slot_name<F::Previous::data, F::mistake.slot>()>>) == 0,
        "values of this column may be missing (its type is std::optional) and the stage needs them all: put Impute "
        "before it");
};

template <class F>
struct Explain<Mistake::Cause::duplicate, F> {
    static_assert(
        sizeof(wrong::ColumnIsDuplicate<wrong::AtStage<F::position>, typename F::StageAt,
                                        wrong::OfColumn<slot_name<F::data, F::data.first + F::mistake.read>()>>) == 0,
        "a stage writes a column whose name is taken by a column that it does not read: give its output another name");
};

template <class F, bool Predicted>
struct ExplainLeak {
    static_assert(
        sizeof(wrong::TargetIsAmongItsFeatures<wrong::AtStage<F::position>, typename F::StageAt,
                                               wrong::Target<slot_name<F::Previous::data, F::mistake.near>()>,
                                               wrong::OfColumn<slot_name<F::Previous::data, F::mistake.slot>()>>) == 0,
        "the features of this learner were computed from its own target: leave the target, and what is made of it, out "
        "of them");
};
template <class F>
struct ExplainLeak<F, true> {
    static_assert(
        sizeof(wrong::TargetIsAmongItsFeatures<wrong::AtStage<F::position>, typename F::StageAt,
                                               wrong::Target<slot_name<F::Previous::data, F::mistake.near>()>,
                                               wrong::OfColumn<slot_name<F::Previous::data, F::mistake.slot>()>,
                                               wrong::ByPrediction<slot_name<F::Previous::data, F::mistake.way>()>>) ==
            0,
        "the features of this learner hold predictions of its own target, made on the very rows that they were fitted "
        "on: leave the predictions out of them");
};
template <class F>
struct Explain<Mistake::Cause::leak, F>
    : ExplainLeak<F, (slot_info(F::Previous::data, F::mistake.way).target_count > 0)> {};

template <class F>
struct Explain<Mistake::Cause::open_policy, F> {
    static_assert(sizeof(wrong::UnseenPolicyIsOpen<wrong::AtStage<F::position>, typename F::StageAt>) == 0,
                  "say what happens to a category that the fit has not seen: Unseen::all_zero, Unseen::own_column or "
                  "Unseen::error as the second template argument");
};

template <class Misfit>
struct ExplainMisfit {
    static_assert(
        sizeof(Misfit) == 0,
        "the function of a map takes the values of its inputs, std::optional where they may be missing (or put "
        "Impute before it), and returns a number, bool, Timestamp, std::optional of these, a Vector of static "
        "extent, or Category or std::string_view of text that outlives the call");
};
template <class F>
struct Explain<Mistake::Cause::misfit, F> : ExplainMisfit<typename F::Failed::Misfit> {};

template <class Lacks>
struct ExplainLacks {
    static_assert(
        sizeof(Lacks) == 0,
        "a stage of one's own lacks a member, or has it with other types; write one that takes what is printed "
        "here (the top of stage/concepts.hpp lists what a stage declares)");
};
template <class F>
struct Explain<Mistake::Cause::incomplete, F> : ExplainLacks<typename F::Lacks> {};

/// Naming its size makes the compiler say what is wrong.
template <class Failed>
using Explanation = Explain<Failed::mistake.cause, Failed>;

}  // namespace partita::inline PARTITA_ABI::detail
