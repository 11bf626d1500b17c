// SPDX-License-Identifier: Apache-2.0
#pragma once

// Fitted pipelines in files: one safetensors file each, written whole or not at all, and loaded into the type that a program
// names; the file only confirms it.

#include <partita/persist/model_file.hpp>
#include <partita/persist/value.hpp>
#include <partita/pipeline/fitted.hpp>

#include <new>

namespace partita::inline PARTITA_ABI {

namespace detail {

inline void describe_column(std::string& text, std::string_view name, ColumnType type) {
    text.append(name).append(": ").append(kind_name(type.kind));
    if (type.extent != dynamic) text += "[" + std::to_string(type.extent) + "]";
    if (type.nullable) text += " or missing";
}

template <class N, int... I>
void describe_node(std::string& text, std::integer_sequence<int, I...>) {
    const auto one = [&](std::span<const int> inputs, int first_output) {
        text += stage_title<typename N::StageAt>() + ":";
        for (int slot : inputs) {
            text += " ";
            describe_column(text, slot_info(N::data, slot).name, slot_info(N::data, slot).type);
        }
        text += " ->";
        for (int output = 0; output < N::outputs_each; ++output) {
            text += " ";
            describe_column(text, slot_info(N::data, first_output + output).name,
                            slot_info(N::data, first_output + output).type);
        }
        text += "\n";
    };
    (one(N::template InstanceAt<I>::inputs, N::data.first + I * N::outputs_each), ...);
}

/// What a file must have been written for: every stage with the names and types of what it reads and writes, a line each.
template <class... N>
std::string pipeline_fingerprint(Types<N...>*) {
    std::string text;
    (describe_node<N>(text, std::make_integer_sequence<int, N::instance_count>()), ...);
    return text;
}

/// A transformer without settings has nothing to save.
template <class Model>
inline constexpr bool has_state = !std::is_empty_v<Model>;

template <class N, class ModelTuple>
void save_stage(ModelWriter& writer, const ModelTuple& models) {
    using StageType = typename N::StageAt;
    writer.begin_stage(StageType::id, stage_version<StageType>());
    [&]<int... I>(std::integer_sequence<int, I...>) {
        const auto one = [&](const auto& model, std::string_view column) {
            if constexpr (has_state<std::remove_cvref_t<decltype(model)>>) save_value(writer, column, model);
        };
        (one(std::get<static_cast<std::size_t>(I)>(models),
             N::columnwise ? N::template InstanceAt<I>::output_name(0) : std::string_view()),
         ...);
    }(std::make_integer_sequence<int, N::instance_count>());
}

template <class N, class ModelTuple>
void load_stage(ModelReader& reader, ModelTuple& models) {
    using StageType = typename N::StageAt;
    reader.enter_stage(StageType::id, stage_version<StageType>());
    [&]<int... I>(std::integer_sequence<int, I...>) {
        const auto one = [&](auto& model, std::string_view column) {
            if constexpr (has_state<std::remove_cvref_t<decltype(model)>>) load_value(reader, column, model);
        };
        (one(std::get<static_cast<std::size_t>(I)>(models),
             N::columnwise ? N::template InstanceAt<I>::output_name(0) : std::string_view()),
         ...);
    }(std::make_integer_sequence<int, N::instance_count>());
}

template <class Row, class... Stages, class... N>
void write_model(ModelWriter& writer, const FittedPipeline<Row, Stages...>& model, Types<N...>*) {
    [&]<std::size_t... S>(std::index_sequence<S...>) {
        (save_stage<N>(writer, std::get<S>(model.models())), ...);
    }(std::index_sequence_for<N...>());
}

template <class Row, class... Stages>
void write_model(ModelWriter& writer, const FittedPipeline<Row, Stages...>& model) {
    write_model(writer, model, static_cast<typename FittedPipeline<Row, Stages...>::Nodes*>(nullptr));
}

template <class Model, class... N>
Model read_model(ModelReader& reader, Types<N...>* nodes) {
    const std::array<std::string, sizeof...(N)> ids{std::string(N::StageAt::id)...};
    reader.expect(ids, pipeline_fingerprint(nodes));
    auto models = std::make_shared<typename Model::Models>();
    [&]<std::size_t... S>(std::index_sequence<S...>) {
        (load_stage<N>(reader, std::get<S>(*models)), ...);
    }(std::index_sequence_for<N...>());
    reader.finish();
    return Model(std::move(models), reader.provenance().seed, reader.provenance().rows);
}

}  // namespace detail

/// The bytes of a model's file.
///
/// Determinism: the same fit gives the same bytes; they hold no clock, host, path, thread or process count.
/// Errors: ModelFileInvalid if a user's stage holds what it would refuse to load.
template <class PipelineType, class Row>
std::string to_bytes(const Fitted<PipelineType, Row>& model) {
    ModelWriter writer(provenance_here(model.seed(), model.rows()),
                       detail::pipeline_fingerprint(static_cast<typename Fitted<PipelineType, Row>::Nodes*>(nullptr)));
    detail::write_model(writer, model);
    return writer.bytes();
}

/// A model from the bytes of its file; `source` names them in errors. Any bytes give a model or a ModelFileError.
template <class Model>
Model from_bytes(std::string bytes, std::string source = "the model") {
    static_cast<void>(sizeof(Model));  // where the pipeline cannot be, this says why
    if constexpr (requires { typename Model::Nodes; }) {
        ModelReader reader(std::move(bytes), std::move(source));
        try {
            return detail::read_model<Model>(reader, static_cast<typename Model::Nodes*>(nullptr));
        } catch (const std::bad_alloc&) {
            reader.invalid("what it holds does not fit into memory");
        }
    } else {
        return {};
    }
}

/// Writes the model's file whole or not at all, by worker 0; an interrupted save leaves an older file as it was.
/// A collective: it succeeds or throws on all workers alike. Errors: FileError, ModelFileInvalid.
template <class PipelineType, class Row>
void save(Session& session, const Fitted<PipelineType, Row>& model, const std::string& path) {
    session.communicator().agree(attempt([&] {
        if (session.primary()) write_file_atomically(path, to_bytes(model));
    }));
}

/// Reads a model's file into the type that the program names.
///
/// Errors: FileError, and the ModelFileError family: truncated, corrupt, malformed, of another version or pipeline, invalid.
/// Cost: the file in memory twice.
template <class Model>
Model load(const std::string& path) {
    return from_bytes<Model>(read_whole_file(path), path);
}

}  // namespace partita::inline PARTITA_ABI
