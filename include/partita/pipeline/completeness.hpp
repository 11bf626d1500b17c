// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether a stage has the members that stage/concepts.hpp lists, for the types that it is given at its place: what it lacks
// becomes the name of a compile error, before any of it is called.

#include <partita/data/column_view.hpp>
#include <partita/data/output_view.hpp>
#include <partita/stage/concepts.hpp>

#include <utility>

namespace partita::inline PARTITA_ABI {

template <class... Values>
class FitRows;

namespace detail {

template <class... T>
struct Types {};

template <class List>
struct OutputValues;
template <class... Written>
struct OutputValues<Columns<Written...>> {
    using type = Types<typename Written::value_type...>;
};

template <template <class...> class>
struct AnyTemplate;
template <class S>
concept DeclaresOutputs =
    is_resampler<S> || requires { typename S::Outputs; } || requires { typename AnyTemplate<S::template OutputsFor>; };
template <class S>
concept DeclaresModel =
    !is_estimator<S> || requires { typename S::Model; } || requires { typename AnyTemplate<S::template ModelFor>; };

/// The declaration that a stage lacks, or void.
template <class AtStage, class S>
struct MissingDeclaration {
    using type = wrong::StageIsIncomplete<AtStage, S, wrong::Wanted<"Outputs">>;
};
template <class AtStage, DeclaresOutputs S>
struct MissingDeclaration<AtStage, S> {
    using type = wrong::StageIsIncomplete<AtStage, S, wrong::Wanted<"Model">>;
};
template <class AtStage, DeclaresOutputs S>
    requires DeclaresModel<S>
struct MissingDeclaration<AtStage, S> {
    using type = void;
};

template <class Kernel, class... Arguments>
concept RunsOn = requires(const Kernel& kernel) { kernel(std::declval<Arguments>()...); };
template <class Summary, class... Arguments>
concept Updates = requires(Summary& summary) { summary.update(std::declval<Arguments>()...); };
template <class S, class Summary, class Model>
concept Finishes = requires(const S& stage, const Summary& summary, Model& model) { model = stage.finish(summary); };
template <class S, class Rows, class Model>
concept FitsAlone = requires(const S& stage, Rows& rows, Model& model) { model = stage.fit(rows); };

/// The member function that a stage lacks for the types of its inputs, fit inputs and outputs, or void.
template <class AtStage, class S, class Model, class Inputs, class FitInputs, class Outputs>
struct MissingMember;
template <class AtStage, class S, class Model, class... V, class... F, class... O>
struct MissingMember<AtStage, S, Model, Types<V...>, Types<F...>, Types<O...>> {
    template <Name Member, class Signature>
    using Lacks = wrong::StageIsIncomplete<AtStage, S, wrong::Wanted<Member>, wrong::Takes<Signature>>*;

    /// Only its type is of use.
    static constexpr auto find() {
        using Summary = typename SummaryOf<S, F...>::type;
        if constexpr (is_resampler<S>) {
            using Ids = std::span<const std::int64_t>;
            if constexpr (!RunsOn<S, ColumnView<V>..., Ids, std::span<double>>)
                return Lacks<"operator() const", void(ColumnView<V>..., Ids, std::span<double>)>();
        } else if constexpr (!RunsOn<Model, ColumnView<V>..., OutputView<O>...>) {
            if constexpr (is_estimator<S>)
                return Lacks<"Model::operator() const", void(ColumnView<V>..., OutputView<O>...)>();
            else return Lacks<"operator() const", void(ColumnView<V>..., OutputView<O>...)>();
        } else if constexpr (!is_estimator<S>) {
        } else if constexpr (!std::is_default_constructible_v<Model>) {
            return Lacks<"Model::Model()", Model()>();
        } else if constexpr (std::is_void_v<Summary>) {
            if constexpr (!FitsAlone<S, FitRows<F...>, Model>)
                return Lacks<"Summary, or fit() const", Model(FitRows<F...>&)>();
        } else if constexpr (!Updates<Summary, ColumnView<F>..., Weights>) {
            return Lacks<"Summary::update()", void(ColumnView<F>..., Weights)>();
        } else if constexpr (!Finishes<S, Summary, Model>) {
            return Lacks<"finish() const", Model(const Summary&)>();
        }
    }
    using type = std::remove_pointer_t<decltype(find())>;
};

/// What the stage lacks for the types of its first instance, or void; it is not asked where another mistake was found.
template <class At, class Position, bool Asked>
struct LacksAt {
    using type = void;
};
template <class At, class Position>
struct LacksAt<At, Position, true>
    : MissingMember<Position, typename At::StageAt, typename At::Model, typename At::Values, typename At::FitValues,
                    typename OutputValues<typename At::Outputs>::type> {};

}  // namespace detail
}  // namespace partita::inline PARTITA_ABI
