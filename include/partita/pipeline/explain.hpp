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
consteval auto slot_name() {
    constexpr std::string_view name = slot_info(Data, Slot).name;
    return Name<name.size() + 1>(name);
}
template <const NodeData& Data, int Slot>
consteval auto slot_kind() {
    constexpr std::string_view kind = kind_name(slot_info(Data, Slot).type.kind);
    return Name<kind.size() + 1>(kind);
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
using Has = typename HasColumns<Node, std::make_index_sequence<slot_count(Node::data) < 8 ? slot_count(Node::data) : 8>>::type;

template <Mistake::Cause Cause, class Failed>
struct Explain;

template <class F>
struct Explain<Mistake::Cause::missing, F> {
    static constexpr Mistake mistake = F::Failed::read_mistake;
    using Inputs = std::conditional_t<F::Failed::fit_read.mistake.cause != Mistake::Cause::none, typename F::Failed::FitInputs, typename F::Failed::Inputs>;
    static constexpr auto wanted() {
        constexpr std::string_view name = Inputs::inputs[static_cast<std::size_t>(mistake.read)].name;
        return Name<name.size() + 1>(name);
    }
    template <bool Near>
    static consteval auto hint() {
        if constexpr (Near) {
            return Types<wrong::DidYouMean<slot_name<F::Previous::data, mistake.near>()>>{};
        } else {
            return Types<Has<typename F::Previous>>{};
        }
    }
    template <class Hint>
    static consteval bool say(Types<Hint>) {
        static_assert(sizeof(wrong::ColumnIsMissing<wrong::AtStage<F::position>, typename F::StageAt, wrong::Wanted<wanted()>, Hint>) == 0,
                      "a stage reads a column that is not there: correct the name, or put the stage that makes the column before it");
        return true;
    }
    static constexpr bool value = say(hint<(mistake.near >= 0)>());
};

template <class F>
struct ExplainType {
    static constexpr Mistake mistake = F::Failed::read_mistake;
    using Inputs = std::conditional_t<F::Failed::fit_read.mistake.cause != Mistake::Cause::none, typename F::Failed::FitInputs, typename F::Failed::Inputs>;
    static consteval auto takes() {
        constexpr std::string_view words = kinds_in_words(Inputs::inputs[static_cast<std::size_t>(mistake.read)]);
        return Name<words.size() + 1>(words);
    }
};

template <class F>
struct Explain<Mistake::Cause::wrong_type, F> : ExplainType<F> {
    using Base = ExplainType<F>;
    static_assert(sizeof(wrong::ColumnHasWrongType<wrong::AtStage<F::position>, typename F::StageAt,
                                                   wrong::OfColumn<slot_name<F::Previous::data, Base::mistake.slot>()>,
                                                   wrong::GivenKind<slot_kind<F::Previous::data, Base::mistake.slot>()>, wrong::TakesKinds<Base::takes()>>) == 0,
                  "a stage cannot work on a column of this type: convert the column by a stage before it (map, OneHotEncode, Assemble), or name another");
    static constexpr bool value = true;
};

template <class F>
struct Explain<Mistake::Cause::missing_values, F> : ExplainType<F> {
    using Base = ExplainType<F>;
    static_assert(sizeof(wrong::ColumnMayBeMissingValues<wrong::AtStage<F::position>, typename F::StageAt,
                                                         wrong::OfColumn<slot_name<F::Previous::data, Base::mistake.slot>()>>) == 0,
                  "values of this column may be missing (its type is std::optional) and the stage needs them all: put Impute before it");
    static constexpr bool value = true;
};

template <class F>
struct Explain<Mistake::Cause::duplicate, F> {
    static_assert(sizeof(wrong::ColumnIsDuplicate<wrong::AtStage<F::position>, typename F::StageAt,
                                                  wrong::OfColumn<slot_name<F::data, F::data.first + F::mistake.read>()>>) == 0,
                  "a stage writes a column whose name is taken by a column that it does not read: give its output another name");
    static constexpr bool value = true;
};

template <class F>
struct Explain<Mistake::Cause::leak, F> {
    static constexpr Mistake mistake = F::Failed::read_mistake;
    static_assert(sizeof(wrong::TargetIsAmongItsFeatures<wrong::AtStage<F::position>, typename F::StageAt,
                                                         wrong::Target<slot_name<F::Previous::data, mistake.near>()>,
                                                         wrong::OfColumn<slot_name<F::Previous::data, mistake.slot>()>>) == 0,
                  "the features of this learner were computed from its own target: leave the target, and what is made of it, out of them");
    static constexpr bool value = true;
};

template <class F>
struct Explain<Mistake::Cause::open_policy, F> {
    static_assert(sizeof(wrong::UnseenPolicyIsOpen<wrong::AtStage<F::position>, typename F::StageAt>) == 0,
                  "say what happens to a category that the fit has not seen: Unseen::all_zero, Unseen::own_column or Unseen::error as the second template argument");
    static constexpr bool value = true;
};

template <class Failed>
inline constexpr bool explained = Explain<Failed::mistake.cause, Failed>::value;

}  // namespace partita::inline PARTITA_ABI::detail
