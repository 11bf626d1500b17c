// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writing a model file.

#include <partita/core/error.hpp>
#include <partita/persist/atomic_file.hpp>
#include <partita/persist/model_file/format.hpp>
#include <partita/persist/safetensors.hpp>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// Collects the stages of a model and writes them as one file.
///
/// A name is the tensor's own within its stage and may come once. `fingerprint` describes the table that the model was
/// fitted on, a line per column, and is compared when the model is loaded.
/// Errors: InvalidSetting for ids and names that cannot be written, FileError from `write`.
/// Determinism: the same calls give the same bytes.
/// Cost: holds one copy of the numbers until it is written.
class ModelWriter {
  public:
    explicit ModelWriter(Provenance provenance, std::string fingerprint = {})
        : provenance_(std::move(provenance)), fingerprint_(std::move(fingerprint)) {}
    ModelWriter(const ModelWriter&) = delete;
    ModelWriter& operator=(const ModelWriter&) = delete;

    /// Begins the next stage; the tensors that follow belong to it.
    void begin_stage(std::string_view id, std::int64_t stage_version) {
        if (id.empty() || id.size() > detail::stage_id_limit_bytes) {
            throw InvalidSetting("the id of a stage must have 1 to 256 bytes, and \"" + std::string(id.substr(0, 64)) +
                                     "\" has " + std::to_string(id.size()),
                                 Place{.stage = std::string(id)});
        }
        if (stages_.size() == detail::stage_count_limit) throw InvalidSetting("a model file holds at most 4096 stages");
        prefix_ = std::to_string(stages_.size() + 1) + "." + std::string(id) + ".";
        stages_.push_back({std::string(id), stage_version, {}});
    }

    /// The id of the current stage; empty before the first.
    std::string stage_id() const { return stages_.empty() ? std::string() : stages_.back().id; }

    /// Puts `name` and a dot in front of the names that follow, as long as the result lives.
    [[nodiscard]] NameScope scope(std::string_view name) { return NameScope(prefix_, name); }

    /// Writes one number, as a tensor without extents.
    template <TensorElement T>
    void scalar(std::string_view name, T value) {
        add(name, dtype_of<T>, {}, std::as_bytes(std::span(&value, 1)));
    }
    /// Writes a vector of numbers.
    template <TensorElement T>
    void vector(std::string_view name, std::span<const T> values) {
        const std::uint64_t extent = values.size();
        add(name, dtype_of<T>, std::span(&extent, 1), std::as_bytes(values));
    }
    template <TensorElement T>
    void vector(std::string_view name, const std::vector<T>& values) {
        vector(name, std::span<const T>(values));
    }
    void vector(std::string_view name, const std::vector<bool>& values) {
        std::string bytes;
        bytes.reserve(values.size());
        for (const bool value : values) bytes.push_back(value ? '\1' : '\0');
        const std::uint64_t extent = values.size();
        add(name, Dtype::boolean, std::span(&extent, 1), std::as_bytes(std::span(bytes)));
    }
    /// Writes a tensor whose `values` lie in row-major order, at most six extents.
    template <TensorElement T>
    void tensor(std::string_view name, std::span<const T> values, std::span<const std::uint64_t> shape) {
        add(name, dtype_of<T>, shape, std::as_bytes(values));
    }
    template <TensorElement T>
    void tensor(std::string_view name, const std::vector<T>& values, std::initializer_list<std::uint64_t> shape) {
        add(name, dtype_of<T>, std::span(shape.begin(), shape.size()), std::as_bytes(std::span<const T>(values)));
    }
    /// Writes one text, as its bytes.
    void text(std::string_view name, std::string_view value) {
        const std::uint64_t extent = value.size();
        add(name, Dtype::u8, std::span(&extent, 1), std::as_bytes(std::span(value)));
    }
    /// Writes texts: `name`.spans holds the first byte of each and one past its last, `name`.bytes all bytes.
    void texts(std::string_view name, std::span<const std::string> values) {
        std::vector<std::int64_t> spans;
        spans.reserve(2 * values.size());
        std::string bytes;
        for (const std::string& value : values) {
            spans.push_back(static_cast<std::int64_t>(bytes.size()));
            bytes += value;
            spans.push_back(static_cast<std::int64_t>(bytes.size()));
        }
        const NameScope inner = scope(name);
        tensor("spans", spans, {values.size(), 2});
        text("bytes", bytes);
    }

    /// The whole file.
    std::string bytes() const {
        std::string out = header();
        for (const std::string& group : tensors_.groups()) out += group;
        return out;
    }

    /// Writes the file all or nothing, see `write_file_atomically`.
    void write(const std::string& path) const {
        const std::string head = header();
        std::vector<std::span<const std::byte>> pieces{std::as_bytes(std::span(head))};
        for (const std::string& group : tensors_.groups()) pieces.push_back(std::as_bytes(std::span(group)));
        write_file_atomically(path, pieces);
    }

  private:
    struct Sum {
        std::string name;
        std::uint64_t checksum;
    };
    struct Stage {
        std::string id;
        std::int64_t version;
        std::vector<Sum> tensors;
    };

    void add(std::string_view name, Dtype dtype, std::span<const std::uint64_t> shape,
             std::span<const std::byte> bytes) {
        std::string full = prefix_ + std::string(name);
        if (stages_.empty())
            throw InvalidSetting("the tensor \"" + full + "\" belongs to no stage; call begin_stage first");
        // A scope without a name below it, as for a value that is itself the whole stage, leaves a dot at the end.
        if (full.back() == '.') full.pop_back();
        tensors_.add(full, dtype, shape, bytes);
        stages_.back().tensors.push_back({std::move(full), checksum(bytes)});
    }

    std::string manifest() const {
        JsonWriter json;
        json.begin_object();
        json.key("provenance");
        json.begin_object();
        json.key("library");
        json.string(provenance_.library);
        json.key("instruction_set");
        json.string(provenance_.instruction_set);
        json.key("compiler");
        json.string(provenance_.compiler);
        json.key("seed");  // as text: seeds use all 64 bits, and the integers of the manifest are signed
        json.string(std::to_string(provenance_.seed));
        json.key("rows");
        json.integer(provenance_.rows);
        json.end_object();
        json.key("fingerprint");
        json.string(fingerprint_);
        json.key("stages");
        json.begin_array();
        for (const Stage& stage : stages_) {
            json.begin_object();
            json.key("id");
            json.string(stage.id);
            json.key("version");
            json.integer(stage.version);
            json.key("tensors");
            json.begin_object();
            for (const Sum& tensor : stage.tensors) {
                json.key(tensor.name);
                json.string(checksum_text(tensor.checksum));
            }
            json.end_object();
            json.end_object();
        }
        json.end_array();
        json.end_object();
        return std::move(json).text();
    }

    std::string header() const {
        using namespace detail;
        const std::string format = std::to_string(model_format_version);
        std::string out = tensors_.header({{std::string(model_key_format), format},
                                           {std::string(model_key_checksum), std::string(checksum_text_length, '0')},
                                           {std::string(model_key_manifest), manifest()}});
        const std::size_t at = 8 + model_header_start.size() + format.size() + model_header_middle.size();
        out.replace(at, checksum_text_length, checksum_text(header_checksum(std::as_bytes(std::span(out)), at)));
        return out;
    }

    Provenance provenance_;
    std::string fingerprint_;
    std::string prefix_;
    std::vector<Stage> stages_;
    SafetensorsWriter tensors_;
};

}  // namespace partita::inline PARTITA_ABI
