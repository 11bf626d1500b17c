// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a stage is. An author writes a struct whose public members are its settings, opts in by one alias, declares the columns
// it reads and writes, and gives one kernel over column views; everything else is derived.
//
// A transformer:                                        An estimator that is a summary:
//   struct Speed {                                        template <pt::Name Value>
//     using stage_concept = pt::Transformer;              struct Range {
//     static constexpr std::string_view id = "Speed";       using stage_concept = pt::Estimator;
//     using Inputs = pt::Columns<                            static constexpr std::string_view id = "Range";
//         pt::Column<"km", float>,                           using Inputs = pt::Columns<pt::Column<Value, float>>;
//         pt::Column<"hours", float>>;                       using Outputs = Inputs;
//     using Outputs = pt::Columns<                           struct Model { void operator()(views…, outputs…) const; };
//         pt::Column<"speed", float>>;                       struct Summary { void update(views…, pt::Weights); };
//     void operator()(views…, outputs…) const;               Model finish(const Summary&) const;
//   };                                                     };
//
// Looked up in this order, and nowhere else:
//   columns read by the kernel           Inputs
//   columns read by the fit              FitInputs, else Inputs; `Target<"fare", kinds>` marks the target
//   columns written                      Outputs, else OutputsFor<Values of the fit inputs…>
//   the fitted model                     Model, else ModelFor<Values of the fit inputs…>; a transformer is its own model
//   the summary                          Summary, else SummaryFor<Values of the fit inputs…>
//   how a summary begins                 start(), else Summary{}
//   whether the data are passed again    advance(Summary&), else once; before it says yes it resets what the next pass
//                                        accumulates: that pass starts from copies of the summary and merges them into it
//   a fit that is no summary             fit(FitRows<Values of the fit inputs…>&) -> Model
//   what settings are refused            validate(), else none
//   width of an output vector            output_width(views…) of the model, else that of its first input
//   what a file calls the stage          id and version (1 where it is not declared)
// An output that has the name of an input takes its place; otherwise its name must be new.
// A member that is missing, or has other types, is the compile error StageIsIncomplete, which names it and what it takes.

#include <partita/data/reads.hpp>
#include <partita/math/accumulator.hpp>
#include <partita/math/weights.hpp>

#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace partita::inline PARTITA_ABI {

/// The aliases by which a struct says what it is: `using stage_concept = pt::Transformer;`.
struct Transformer {};  ///< computes columns row by row; has nothing to learn
struct Estimator {};    ///< learns a model from data; the model computes columns row by row
struct Predictor {};    ///< an estimator whose model predicts a target
struct Resampler {};    ///< chooses or repeats rows while fitting, and is the identity afterwards

/// The target of a learner: as Read, and no feature of the same learner may come from it.
template <Name ColumnName, KindSet Kinds>
struct Target : Read<ColumnName, Kinds> {
    static constexpr bool is_target = true;
};

namespace detail {

template <class Declaration>
inline constexpr bool is_target = requires { Declaration::is_target; };

template <class Stage>
concept OptedIn = requires { typename Stage::stage_concept; };
template <class Stage, class Tag>
inline constexpr bool opts_in_as = false;
template <OptedIn Stage, class Tag>
inline constexpr bool opts_in_as<Stage, Tag> = std::is_same_v<typename Stage::stage_concept, Tag>;

template <class Stage>
inline constexpr bool is_estimator = opts_in_as<Stage, Estimator> || opts_in_as<Stage, Predictor>;
template <class Stage>
inline constexpr bool is_resampler = opts_in_as<Stage, Resampler>;
template <class Stage>
inline constexpr bool is_transformer = opts_in_as<Stage, Transformer>;

// ---- the look-ups listed above, one each ---------------------------------------------------------------------------------

template <class Stage>
struct FitInputsOf {
    using type = typename Stage::Inputs;
};
template <class Stage>
    requires requires { typename Stage::FitInputs; }
struct FitInputsOf<Stage> {
    using type = typename Stage::FitInputs;
};

template <class Stage, class... Values>
struct OutputsOf {
    using type = typename Stage::template OutputsFor<Values...>;
};
template <class Stage, class... Values>
    requires requires { typename Stage::Outputs; }
struct OutputsOf<Stage, Values...> {
    using type = typename Stage::Outputs;
};

template <class Stage, class... Values>
    requires(is_resampler<Stage> && !requires { typename Stage::Outputs; })
struct OutputsOf<Stage, Values...> {
    using type = Columns<>;
};

template <class Stage, class... Values>
struct ModelOf {
    using type = Stage;
};
template <class Stage, class... Values>
    requires requires { typename Stage::Model; }
struct ModelOf<Stage, Values...> {
    using type = typename Stage::Model;
};
template <class Stage, class... Values>
    requires requires { typename Stage::template ModelFor<Values...>; }
struct ModelOf<Stage, Values...> {
    using type = typename Stage::template ModelFor<Values...>;
};

template <class Stage, class... Values>
struct SummaryOf {
    using type = void;
};
template <class Stage, class... Values>
    requires requires { typename Stage::Summary; }
struct SummaryOf<Stage, Values...> {
    using type = typename Stage::Summary;
};
template <class Stage, class... Values>
    requires requires { typename Stage::template SummaryFor<Values...>; }
struct SummaryOf<Stage, Values...> {
    using type = typename Stage::template SummaryFor<Values...>;
};

template <class Summary, class Stage>
Summary start_summary(const Stage& stage) {
    if constexpr (requires { stage.start(); }) {
        return stage.start();
    } else {
        return Summary{};
    }
}

template <class Summary, class Stage>
bool advance_summary(const Stage& stage, Summary& summary) {
    if constexpr (requires { stage.advance(summary); }) {
        return stage.advance(summary);
    } else {
        return false;
    }
}

template <class Stage>
void validate_settings(const Stage& stage) {
    if constexpr (requires { stage.validate(); }) stage.validate();
}

template <class Stage>
constexpr int stage_version() {
    if constexpr (requires { Stage::version; }) {
        return Stage::version;
    } else {
        return 1;
    }
}

template <class Model, class First, class... Rest>
std::size_t output_width(const Model& model, const First& first, const Rest&... rest) {
    if constexpr (requires { model.output_width(first, rest...); }) {
        return model.output_width(first, rest...);
    } else if constexpr (requires { first.columns(); }) {
        return first.columns();
    } else if constexpr (requires { first.columns; }) {
        return first.columns;
    } else {
        return 1;
    }
}

}  // namespace detail

/// A type that has opted in as a stage and declares what it reads.
template <class T>
concept Stage = (detail::is_transformer<T> || detail::is_estimator<T> || detail::is_resampler<T>) && requires {
    typename T::Inputs;
    { T::id } -> std::convertible_to<std::string_view>;
};

namespace detail {

inline std::string title_of(std::string_view id, std::span<const Input> inputs) {
    std::string title(id);
    char separator = '<';
    for (const Input& input : inputs) {
        title += separator;
        if (separator == ',') title += ' ';
        title.append("\"").append(input.name).append("\"");
        separator = ',';
    }
    title += '>';
    return title;
}

}  // namespace detail

/// The stage by its id and the columns that it reads, for messages and explain(): StandardScale<"features">. Targets,
/// outputs and settings are left out.
template <Stage S>
std::string stage_title() {
    return detail::title_of(S::id, S::Inputs::inputs);
}

/// The type in which a number becomes a feature: float, unless it is double or an integer of more than 16 bits.
template <class T>
using Feature =
    std::conditional_t<std::is_same_v<T, double> || (std::is_integral_v<T> && sizeof(T) > 2), double, float>;

}  // namespace partita::inline PARTITA_ABI
