// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reading a model file: whatever its bytes are, the result is the numbers that were written or a ModelFileError.

#include <partita/core/error.hpp>
#include <partita/persist/atomic_file.hpp>
#include <partita/persist/model_file/difference.hpp>
#include <partita/persist/model_file/format.hpp>
#include <partita/persist/safetensors.hpp>

#include <charconv>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// The values of a tensor in row-major order, and its extents.
template <TensorElement T>
struct Tensor {
    std::vector<std::uint64_t> shape;
    std::vector<T> values;
};

/// Reads the stages of a model file in their order.
///
/// Opening checks the structure and all checksums. Then `expect` compares the whole pipeline, `enter_stage` goes to the next
/// stage, the other members read its tensors by the names they were written under, each once, and `finish` says that this
/// was all: a stage whose tensors were not all read is an error, so nothing in a file is ignored.
/// Errors: FileError; ModelFileTruncated, ModelFileMalformed, ModelFileVersion, ModelFileCorrupt on opening;
/// ModelFileMismatch, ModelFileVersion, ModelFileMalformed and ModelFileInvalid afterwards.
/// Cost: reads the file once into memory; beside the result it needs at most three times the file's size.
class ModelReader {
  public:
    /// Opens a model from the bytes of its file; `source` names it in errors.
    explicit ModelReader(std::string bytes, std::string source = "the model")
        : bytes_(std::move(bytes)), source_(std::move(source)), file_(check_envelope(), source_) {
        read_manifest();
        for (std::size_t i = 0; i < checksums_.size(); ++i) {
            if (checksum(file_.bytes(file_.tensors()[i])) == checksums_[i].sum) continue;
            throw ModelFileCorrupt(source_ + " is damaged: the tensor \"" + detail::excerpt(file_.tensors()[i].name) +
                                       "\" has other bytes than were written; copy the file again",
                                   Place{.file = source_});
        }
    }
    /// Opens the file `path`.
    static ModelReader open(const std::string& path) { return ModelReader(read_whole_file(path), path); }

    ModelReader(const ModelReader&) = delete;
    ModelReader& operator=(const ModelReader&) = delete;

    const Provenance& provenance() const { return provenance_; }
    const std::string& fingerprint() const { return fingerprint_; }
    const std::string& stage_id(std::size_t stage) const { return stages_[stage].id; }
    std::int64_t stage_version(std::size_t stage) const { return stages_[stage].version; }

    /// Refuses a file of another pipeline or table: ModelFileMismatch, with what the file and the program have in turn.
    void expect(std::span<const std::string> stage_ids, std::string_view fingerprint) const;

    /// Goes to the next stage, which must be `id`, of a version from `oldest` to `newest`; gives its version.
    std::int64_t enter_stage(std::string_view id, std::int64_t newest, std::int64_t oldest) {
        leave_stage();
        if (entered_ >= stages_.size()) {
            mismatch("the program's stage " + std::to_string(entered_ + 1) + " is " + std::string(id) +
                     ", and the file has only " + std::to_string(stages_.size()) + " stages");
        }
        const Stage& stage = stages_[entered_];
        if (stage.id != id) {
            mismatch("stage " + std::to_string(entered_ + 1) + " is " + stage.id + " in the file and " +
                     std::string(id) + " in the program");
        }
        ++entered_;
        prefix_ = std::to_string(entered_) + "." + stage.id + ".";
        if (stage.version < oldest || stage.version > newest) {
            throw ModelFileVersion(source_ + " holds version " + std::to_string(stage.version) + " of the stage " +
                                       stage.id + ", and this program reads " +
                                       (oldest == newest ? "version " : "versions " + std::to_string(oldest) + " to ") +
                                       std::to_string(newest) + "; fit the model again, or load it with the library " +
                                       detail::excerpt(provenance_.library) + " that wrote it",
                                   place());
        }
        return stage.version;
    }
    std::int64_t enter_stage(std::string_view id, std::int64_t only) { return enter_stage(id, only, only); }

    /// Says that everything has been read.
    void finish() {
        leave_stage();
        if (entered_ != stages_.size()) {
            mismatch("the file has " + std::to_string(stages_.size()) + " stages, and the program only " +
                     std::to_string(entered_));
        }
    }

    /// Puts `name` and a dot in front of the names that follow, as long as the result lives.
    [[nodiscard]] NameScope scope(std::string_view name) { return NameScope(prefix_, name); }

    /// Whether the stage has a tensor of that name.
    bool has(std::string_view name) const { return file_.find(full_name(name)) != nullptr; }

    /// Reads one number.
    template <TensorElement T>
    T scalar(std::string_view name) {
        T value{};
        copy(take(name, dtype_of<T>, 0), std::as_writable_bytes(std::span(&value, 1)), name);
        return value;
    }
    /// Reads a vector of numbers (of bool: a std::vector<bool>).
    template <TensorElement T>
    std::vector<T> vector(std::string_view name) {
        return values<T>(take(name, dtype_of<T>, 1), name);
    }
    /// Reads a tensor of any shape.
    template <TensorElement T>
    Tensor<T> tensor(std::string_view name) {
        const TensorInfo& info = take(name, dtype_of<T>, any_rank);
        return {{info.shape().begin(), info.shape().end()}, values<T>(info, name)};
    }
    /// Reads a text.
    std::string text(std::string_view name) {
        const std::span<const std::byte> bytes = file_.bytes(take(name, Dtype::u8, 1));
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    /// Reads texts.
    std::vector<std::string> texts(std::string_view name) {
        const NameScope inner = scope(name);
        const TensorInfo& spans = take("spans", Dtype::i64, 2);
        const std::span<const std::byte> bytes = file_.bytes(take("bytes", Dtype::u8, 1));
        if (spans.extents[1] != 2)
            malformed("the tensor \"" + detail::excerpt(spans.name) + "\" needs two numbers per text");
        std::vector<std::string> out(static_cast<std::size_t>(spans.extents[0]));
        std::uint64_t at = 0;
        const std::byte* from = file_.bytes(spans).data();
        for (std::string& text : out) {
            const auto begin = detail::load_word<std::uint64_t>(from);
            const auto end = detail::load_word<std::uint64_t>(from + 8);
            from += 16;
            if (begin != at || end < begin || end > bytes.size())
                invalid("the texts of \"" + detail::excerpt(spans.name) + "\" do not follow each other");
            text.assign(reinterpret_cast<const char*>(bytes.data()) + begin, end - begin);
            at = end;
        }
        if (at != bytes.size()) invalid("the texts of \"" + detail::excerpt(spans.name) + "\" leave bytes over");
        return out;
    }

    /// Refuses the numbers read: throws ModelFileInvalid with file, stage and `why`.
    [[noreturn]] void invalid(const std::string& why) const {
        throw ModelFileInvalid(source_ + " holds no valid model" + in_stage() + ": " + why + "; fit and save it again",
                               place());
    }
    /// Refuses the structure of the tensors read: throws ModelFileMalformed with file, stage and `why`.
    [[noreturn]] void malformed(const std::string& why) const {
        throw ModelFileMalformed(source_ + " is malformed" + in_stage() + ": " + why + "; its writer was faulty",
                                 place());
    }

  private:
    static constexpr std::size_t any_rank = TensorInfo::rank_limit + 1;

    struct Stage {
        std::string id;
        std::int64_t version;
    };
    struct Claim {
        std::uint64_t sum = 0;
        std::uint32_t stage = 0;
        bool claimed = false;
        bool read = false;
    };

    Place place() const { return {.file = source_, .stage = entered_ == 0 ? std::string() : stages_[entered_ - 1].id}; }
    std::string in_stage() const {
        return entered_ == 0 ? std::string()
                             : " in its stage " + std::to_string(entered_) + ", " + stages_[entered_ - 1].id;
    }
    [[noreturn]] void mismatch(const std::string& why, const std::string& difference = {}) const {
        throw ModelFileMismatch(source_ + " holds the model of another pipeline: " + why +
                                    "; load it with the type it was saved from, or fit and save it again" + difference,
                                place());
    }
    std::string full_name(std::string_view name) const {
        std::string full = prefix_ + std::string(name);
        if (!full.empty() && full.back() == '.') full.pop_back();
        return full;
    }

    void leave_stage() const {
        for (std::size_t i = 0; i < checksums_.size() && entered_ > 0; ++i) {
            if (checksums_[i].stage == entered_ && !checksums_[i].read) {
                malformed("it has a tensor \"" + detail::excerpt(file_.tensors()[i].name) +
                          "\" that this stage does not know");
            }
        }
    }

    const TensorInfo& take(std::string_view name, Dtype dtype, std::size_t rank) {
        const TensorInfo* info = file_.find(full_name(name));
        if (info == nullptr || entered_ == 0)
            malformed("the tensor \"" + detail::excerpt(full_name(name)) + "\" is missing");
        Claim& claim = checksums_[static_cast<std::size_t>(info - file_.tensors().data())];
        if (claim.stage != entered_)
            malformed("the tensor \"" + detail::excerpt(info->name) + "\" belongs to another stage");
        if (info->dtype != dtype) {
            malformed("the tensor \"" + detail::excerpt(info->name) + "\" is of " +
                      std::string(dtype_name(info->dtype)) + " and should be of " + std::string(dtype_name(dtype)));
        }
        if (rank != any_rank && info->rank != rank) {
            malformed("the tensor \"" + detail::excerpt(info->name) + "\" has " + std::to_string(info->rank) +
                      " extents and should have " + std::to_string(rank));
        }
        claim.read = true;
        return *info;
    }

    void copy(const TensorInfo& info, std::span<std::byte> into, std::string_view name) const {
        const std::span<const std::byte> from = file_.bytes(info);
        if (info.dtype == Dtype::boolean) check_flags(from, name);
        if (!from.empty()) std::memcpy(into.data(), from.data(), from.size());
    }
    void check_flags(std::span<const std::byte> flags, std::string_view name) const {
        for (const std::byte flag : flags) {
            if (flag > std::byte{1})
                invalid("\"" + detail::excerpt(full_name(name)) + "\" has a flag that is neither 0 nor 1");
        }
    }

    template <class T>
    std::vector<T> values(const TensorInfo& info, std::string_view name) const {
        std::vector<T> out(static_cast<std::size_t>(info.size()));
        if constexpr (std::same_as<T, bool>) {
            const std::span<const std::byte> from = file_.bytes(info);
            check_flags(from, name);
            for (std::size_t i = 0; i < out.size(); ++i) out[i] = from[i] != std::byte{0};
        } else {
            copy(info, std::as_writable_bytes(std::span(out)), name);
        }
        return out;
    }

    // Checks what says that this is a model file of a version we know, whole and undamaged, before anything is parsed.
    std::span<const std::byte> check_envelope() const;
    void read_manifest();
    void read_stage(JsonReader& json);

    // What an error's place needs comes before what may throw while it is built.
    std::string bytes_;
    std::string source_;
    std::vector<Stage> stages_;
    std::size_t entered_ = 0;  ///< how many stages: the place of the current one, from 1
    Safetensors file_;
    Provenance provenance_;
    std::string fingerprint_;
    std::vector<Claim> checksums_;
    std::string prefix_;
};

inline void ModelReader::expect(std::span<const std::string> stage_ids, std::string_view fingerprint) const {
    std::string in_file, in_program;
    for (const Stage& stage : stages_) (in_file += stage.id) += '\n';
    for (const std::string& id : stage_ids) (in_program += id) += '\n';
    if (in_file != in_program) mismatch("its stages differ", detail::line_difference(in_file, in_program));
    if (fingerprint_ == fingerprint) return;
    throw ModelFileMismatch(
        source_ +
            " holds a model that was fitted on another table; load it with the row type it was fitted on, "
            "or fit and save it again" +
            detail::line_difference(fingerprint_, fingerprint),
        place());
}

inline std::span<const std::byte> ModelReader::check_envelope() const {
    using namespace detail;
    const std::span<const std::byte> file = std::as_bytes(std::span(bytes_));
    const std::string_view header = Safetensors::header_of(file, source_);
    std::string_view rest = header;
    const auto skip = [&](std::string_view text) {
        if (!rest.starts_with(text)) {
            malformed("it does not begin as a model file of this library does; it may be another safetensors file");
        }
        rest.remove_prefix(text.size());
    };
    skip(model_header_start);
    std::int64_t format = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), format);
    if (error != std::errc{}) malformed("its format version is no number");
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (format != model_format_version) {
        throw ModelFileVersion(source_ + " has the format version " + std::to_string(format) + ", and this library, " +
                                   PARTITA_VERSION_STRING + ", reads version " + std::to_string(model_format_version) +
                                   "; load it with the version that wrote it, or fit and save it again",
                               Place{.file = source_});
    }
    skip(model_header_middle);
    const std::size_t at = 8 + header.size() - rest.size();
    if (rest.size() < checksum_text_length) malformed("its checksum is missing");
    const std::string_view found = rest.substr(0, checksum_text_length);
    if (found != checksum_text(header_checksum(file.first(8 + header.size()), at))) {
        throw ModelFileCorrupt(source_ + " is damaged: its header is not the one that was written; copy the file again",
                               Place{.file = source_});
    }
    rest.remove_prefix(checksum_text_length);
    skip(model_header_end);
    return file;
}

inline void ModelReader::read_manifest() {
    if (file_.metadata().size() != 3) malformed("its metadata have other entries than a model's");
    const Safetensors::Metadata metadata = file_.take_metadata();
    JsonReader json(metadata[2].second, source_, "manifest");
    json.begin_object();
    json.key("provenance");
    json.begin_object();
    json.key("library");
    json.string(provenance_.library);
    json.key("instruction_set");
    json.string(provenance_.instruction_set);
    json.key("compiler");
    json.string(provenance_.compiler);
    json.key("seed");
    const std::string seed = json.string();
    const auto [end, error] = std::from_chars(seed.data(), seed.data() + seed.size(), provenance_.seed);
    if (error != std::errc{} || std::to_string(provenance_.seed) != seed) json.fail("the seed is no number of 64 bits");
    json.key("rows");
    provenance_.rows = json.integer();
    json.end_object();
    json.key("fingerprint");
    json.string(fingerprint_);
    json.key("stages");
    json.begin_array();
    checksums_.resize(file_.tensors().size());
    while (json.next_item()) read_stage(json);
    json.end_object();
    json.end();
    for (std::size_t i = 0; i < checksums_.size(); ++i) {
        if (!checksums_[i].claimed)
            malformed("the tensor \"" + detail::excerpt(file_.tensors()[i].name) + "\" belongs to no stage");
    }
}

inline void ModelReader::read_stage(JsonReader& json) {
    if (stages_.size() == detail::stage_count_limit) json.fail("there are too many stages");
    Stage stage;
    json.begin_object();
    json.key("id");
    json.string(stage.id);
    if (stage.id.empty() || stage.id.size() > detail::stage_id_limit_bytes)
        json.fail("the id of a stage has 1 to 256 bytes");
    json.key("version");
    stage.version = json.integer();
    json.key("tensors");
    json.begin_object();
    std::string name, sum;
    while (json.next_key(name)) {
        json.string(sum);
        const TensorInfo* info = file_.find(name);
        if (info == nullptr) json.fail("the tensor \"" + detail::excerpt(name) + "\" is not in the file");
        Claim& claim = checksums_[static_cast<std::size_t>(info - file_.tensors().data())];
        if (claim.claimed) json.fail("the tensor \"" + detail::excerpt(name) + "\" is named twice");
        const auto [end, error] = std::from_chars(sum.data(), sum.data() + sum.size(), claim.sum, 16);
        if (error != std::errc{} || checksum_text(claim.sum) != sum) json.fail("a checksum has 16 hexadecimal digits");
        claim.stage = static_cast<std::uint32_t>(stages_.size() + 1);
        claim.claimed = true;
    }
    json.end_object();
    stages_.push_back(std::move(stage));
}

}  // namespace partita::inline PARTITA_ABI
