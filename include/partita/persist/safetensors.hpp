// SPDX-License-Identifier: Apache-2.0
#pragma once

// The safetensors format: eight bytes with the header's length, a JSON header that names the tensors, their bytes.
// Source: the format description of the safetensors project (README.md, "Format").

#include <partita/core/error.hpp>
#include <partita/core/sort_few.hpp>
#include <partita/persist/checksum.hpp>
#include <partita/persist/json.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// The element types of tensors that can be read and written.
enum class Dtype : std::uint8_t { boolean, u8, i8, u16, i16, u32, i32, f32, u64, i64, f64 };

namespace detail {
inline constexpr std::string_view dtype_names[] = {"BOOL", "U8",  "I8",  "U16", "I16", "U32",
                                                   "I32",  "F32", "U64", "I64", "F64"};
}  // namespace detail

/// The name of `dtype` in a file ("F64").
constexpr std::string_view dtype_name(Dtype dtype) { return detail::dtype_names[static_cast<std::size_t>(dtype)]; }

/// The size of one element in bytes.
constexpr std::size_t dtype_size_bytes(Dtype dtype) {
    return dtype <= Dtype::i8 ? 1 : dtype <= Dtype::i16 ? 2 : dtype <= Dtype::f32 ? 4 : 8;
}

/// A type whose values can be a tensor's elements: bool, integers of at most 64 bits, float, double.
template <class T>
concept TensorElement =
    std::same_as<T, bool> || std::same_as<T, float> || std::same_as<T, double> || (std::integral<T> && sizeof(T) <= 8);

/// The dtype of the elements `T`.
template <TensorElement T>
inline constexpr Dtype dtype_of = [] {
    if constexpr (std::same_as<T, bool>) return Dtype::boolean;
    else if constexpr (std::same_as<T, float>) return Dtype::f32;
    else if constexpr (std::same_as<T, double>) return Dtype::f64;
    else {
        constexpr Dtype by_size[2][4] = {{Dtype::u8, Dtype::u16, Dtype::u32, Dtype::u64},
                                         {Dtype::i8, Dtype::i16, Dtype::i32, Dtype::i64}};
        return by_size[T(-1) < T(0)][sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3];
    }
}();

/// One tensor of a file.
struct TensorInfo {
    static constexpr std::size_t rank_limit = 6;

    std::string name;
    Dtype dtype = Dtype::u8;
    std::uint8_t rank = 0;                   ///< how many extents it has; 0 is a single element
    std::uint64_t extents[rank_limit] = {};  ///< row-major, the slowest first
    std::uint64_t begin = 0;                 ///< first byte, counted from the end of the header
    std::uint64_t end = 0;                   ///< one past its last byte

    std::span<const std::uint64_t> shape() const { return {extents, rank}; }
    std::uint64_t size() const { return (end - begin) / dtype_size_bytes(dtype); }
};

/// The limits that a safetensors file has to keep.
struct SafetensorsLimits {
    static constexpr std::uint64_t header_bytes = 100'000'000;  ///< the format's own
    static constexpr std::size_t metadata_entries = 1024;
    static constexpr std::size_t tensors = std::size_t{1} << 20;
};

/// What a safetensors file holds: a view of its bytes, which must outlive it.
///
/// Errors: ModelFileTruncated, ModelFileMalformed. Nothing is allocated from a size that the file declares: the memory
/// used is below three times the header's bytes that are there, plus 128 KiB.
class Safetensors {
  public:
    using Metadata = std::vector<std::pair<std::string, std::string>>;

    /// Reads the header of `file`; `source` is its name in errors.
    Safetensors(std::span<const std::byte> file, std::string_view source) {
        const std::string_view header = header_of(file, source);
        data_ = file.subspan(8 + header.size());
        std::size_t count = 0;
        read_header(header, source, count, false);
        tensors_.reserve(count);
        read_header(header, source, count, true);
        check_names(source);
        check_tiling(source);
    }

    /// The header's text of `file`, all of which is there.
    static std::string_view header_of(std::span<const std::byte> file, std::string_view source) {
        const Place place{.file = std::string(source)};
        const auto has = " has " + std::to_string(file.size()) + " bytes";
        if (file.size() < 8)
            throw ModelFileTruncated(std::string(source) + has + ", too few for a model; copy it again", place);
        const auto length = detail::load_word<std::uint64_t>(file.data());
        if (length > SafetensorsLimits::header_bytes) {
            throw ModelFileMalformed(std::string(source) + " is no model file: its header would have " +
                                         std::to_string(length) + " bytes; give the file that save wrote",
                                     place);
        }
        if (length > file.size() - 8) {
            throw ModelFileTruncated(std::string(source) + has + ", and its header alone would have " +
                                         std::to_string(length) + "; it was cut off, copy it again",
                                     place);
        }
        return {reinterpret_cast<const char*>(file.data()) + 8, static_cast<std::size_t>(length)};
    }

    /// The tensors in the order in which their bytes lie.
    std::span<const TensorInfo> tensors() const { return tensors_; }
    const Metadata& metadata() const { return metadata_; }
    /// The metadata, which are gone from here afterwards: the memory is the caller's to free.
    Metadata take_metadata() { return std::exchange(metadata_, {}); }
    std::span<const std::byte> bytes(const TensorInfo& tensor) const {
        return data_.subspan(static_cast<std::size_t>(tensor.begin),
                             static_cast<std::size_t>(tensor.end - tensor.begin));
    }
    /// The tensor of that name, or none; takes logarithmic time.
    const TensorInfo* find(std::string_view name) const {
        const auto found = std::lower_bound(
            by_name_.begin(), by_name_.end(), name,
            [this](std::uint32_t index, std::string_view wanted) { return tensors_[index].name < wanted; });
        return found != by_name_.end() && tensors_[*found].name == name ? &tensors_[*found] : nullptr;
    }
    /// The metadata under `key`, or none.
    const std::string* find_metadata(std::string_view key) const {
        for (const auto& [name, value] : metadata_) {
            if (name == key) return &value;
        }
        return nullptr;
    }

  private:
    // Reads the header once to count and check, and once more to keep, so that the vector never has to grow.
    void read_header(std::string_view text, std::string_view source, std::size_t& count, bool keep) {
        JsonReader json(text, source, "header");
        if (text.empty() || text[0] != '{') json.fail("it must begin with a brace");
        std::string key;
        bool has_metadata = false;
        count = 0;
        json.begin_object();
        while (json.next_key(key)) {
            if (key == "__metadata__") {
                if (has_metadata) json.fail("the metadata come twice");
                has_metadata = true;
                read_metadata(json, keep);
                continue;
            }
            if (++count > SafetensorsLimits::tensors) json.fail("it names too many tensors");
            TensorInfo tensor;
            read_tensor(json, tensor);
            if (keep) {
                tensor.name = key;
                tensors_.push_back(std::move(tensor));
            }
        }
        json.end();
    }

    void read_metadata(JsonReader& json, bool keep) {
        std::string key, value;
        std::size_t count = 0;
        json.begin_object();
        while (json.next_key(key)) {
            if (++count > SafetensorsLimits::metadata_entries) json.fail("it has too many metadata");
            json.string(value);
            if (!keep) continue;
            if (find_metadata(key) != nullptr) json.fail("the metadata \"" + detail::excerpt(key) + "\" come twice");
            metadata_.emplace_back(key, std::move(value));
        }
    }

    static void read_tensor(JsonReader& json, TensorInfo& tensor) {
        enum : unsigned { dtype = 1, shape = 2, offsets = 4 };
        unsigned seen = 0;
        const auto once = [&](unsigned which) {
            if ((seen & which) != 0) json.fail("a key comes twice");
            seen |= which;
        };
        std::string text;
        std::uint64_t size = 1;
        json.begin_object();
        while (json.next_key(text)) {
            if (text == "dtype") {
                once(dtype);
                json.string(text);
                const auto found = std::find(std::begin(detail::dtype_names), std::end(detail::dtype_names), text);
                if (found == std::end(detail::dtype_names))
                    json.fail("the dtype " + detail::excerpt(text) + " is not one that can be read");
                tensor.dtype = static_cast<Dtype>(found - std::begin(detail::dtype_names));
            } else if (text == "shape") {
                once(shape);
                json.begin_array();
                while (json.next_item()) {
                    if (tensor.rank == TensorInfo::rank_limit) json.fail("a tensor has more than six extents");
                    const std::uint64_t extent = json.count();
                    tensor.extents[tensor.rank++] = extent;
                    if (__builtin_mul_overflow(size, extent, &size)) json.fail("a tensor's size is beyond 64 bits");
                }
            } else if (text == "data_offsets") {
                once(offsets);
                json.begin_array();
                if (!json.next_item()) json.fail("a tensor needs two offsets");
                tensor.begin = json.count();
                if (!json.next_item()) json.fail("a tensor needs two offsets");
                tensor.end = json.count();
                json.end_array();
            } else {
                json.fail("the key \"" + detail::excerpt(text) + "\" is unknown");
            }
        }
        if (seen != (dtype | shape | offsets)) json.fail("a tensor needs dtype, shape and data_offsets");
        if (__builtin_mul_overflow(size, static_cast<std::uint64_t>(dtype_size_bytes(tensor.dtype)), &size)) {
            json.fail("a tensor's size is beyond 64 bits");
        }
        if (tensor.end < tensor.begin || tensor.end - tensor.begin != size) {
            json.fail("a tensor's offsets do not span what its shape needs");
        }
    }

    void check_names(std::string_view source) {
        std::sort(tensors_.begin(), tensors_.end(), [](const TensorInfo& a, const TensorInfo& b) {
            return a.begin != b.begin ? a.begin < b.begin : a.end != b.end ? a.end < b.end : a.name < b.name;
        });
        by_name_.resize(tensors_.size());
        for (std::size_t i = 0; i < by_name_.size(); ++i) by_name_[i] = static_cast<std::uint32_t>(i);
        std::sort(by_name_.begin(), by_name_.end(),
                  [this](std::uint32_t a, std::uint32_t b) { return tensors_[a].name < tensors_[b].name; });
        for (std::size_t i = 1; i < by_name_.size(); ++i) {
            if (tensors_[by_name_[i]].name == tensors_[by_name_[i - 1]].name) {
                refuse(source, "the tensor \"" + detail::excerpt(tensors_[by_name_[i]].name) + "\" comes twice");
            }
        }
    }

    void check_tiling(std::string_view source) const {
        std::uint64_t at = 0;
        for (const TensorInfo& tensor : tensors_) {
            if (tensor.begin != at) {
                refuse(source, "the tensor \"" + detail::excerpt(tensor.name) + "\" begins at byte " +
                                   std::to_string(tensor.begin) + ", the one before it ends at " + std::to_string(at));
            }
            at = tensor.end;
        }
        if (at > data_.size()) {
            throw ModelFileTruncated(std::string(source) + " holds " + std::to_string(data_.size()) + " of the " +
                                         std::to_string(at) + " bytes of its tensors; it was cut off, copy it again",
                                     Place{.file = std::string(source)});
        }
        if (at < data_.size()) refuse(source, "bytes follow the last tensor");
    }

    [[noreturn]] static void refuse(std::string_view source, const std::string& why) {
        throw ModelFileMalformed(std::string(source) + " is no valid safetensors file: " + why +
                                     "; give the file that save wrote, or fit and save the model again",
                                 Place{.file = std::string(source)});
    }

    std::vector<TensorInfo> tensors_;
    std::vector<std::uint32_t> by_name_;
    Metadata metadata_;
    std::span<const std::byte> data_;
};

/// Collects tensors and lays them out as a safetensors file: elements of 8 bytes first, then of 4, 2 and 1, so that each
/// is aligned; among those, in the order in which they came.
///
/// Errors: InvalidSetting for a name that comes twice or is not UTF-8, or a shape that is not that of the values.
class SafetensorsWriter {
  public:
    /// Adds a tensor; `bytes` are its elements in row-major order.
    void add(std::string name, Dtype dtype, std::span<const std::uint64_t> shape, std::span<const std::byte> bytes) {
        TensorInfo tensor;
        std::uint64_t size = dtype_size_bytes(dtype);
        bool fits = shape.size() <= TensorInfo::rank_limit;
        for (std::size_t i = 0; fits && i < shape.size(); ++i) {
            tensor.extents[i] = shape[i];
            fits = !__builtin_mul_overflow(size, shape[i], &size);
        }
        if (!fits || size != bytes.size()) {
            throw InvalidSetting("the tensor \"" + name + "\" has " + std::to_string(bytes.size()) +
                                 " bytes, which its shape does not describe");
        }
        std::string& group = groups_[group_of(dtype)];
        tensor.name = std::move(name);
        tensor.dtype = dtype;
        tensor.rank = static_cast<std::uint8_t>(shape.size());
        tensor.begin = group.size();
        tensor.end = tensor.begin + bytes.size();
        if (!bytes.empty()) group.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        tensors_.push_back(std::move(tensor));
    }

    /// The bytes of the tensors, in four groups that follow each other in the file.
    std::span<const std::string> groups() const { return groups_; }

    /// The file's eight bytes of length and its header.
    std::string header(const Safetensors::Metadata& metadata = {}) const {
        check_names();
        JsonWriter json;
        json.begin_object();
        if (!metadata.empty()) {
            json.key("__metadata__");
            json.begin_object();
            for (const auto& [key, value] : metadata) {
                json.key(key);
                json.string(value);
            }
            json.end_object();
        }
        std::uint64_t base = 0;
        for (std::size_t group = 0; group < 4; ++group) {
            for (const TensorInfo& tensor : tensors_) {
                if (group_of(tensor.dtype) == group) put_tensor(json, tensor, base);
            }
            base += groups_[group].size();
        }
        json.end_object();
        std::string text = std::move(json).text();
        text.resize((text.size() + 7) / 8 * 8, ' ');
        if (text.size() > SafetensorsLimits::header_bytes || tensors_.size() > SafetensorsLimits::tensors ||
            metadata.size() > SafetensorsLimits::metadata_entries) {
            throw InvalidSetting(
                "a model file has too many tensors or too long a manifest; store many values in few tensors");
        }
        const std::uint64_t length = text.size();
        std::string out(8, '\0');
        std::memcpy(out.data(), &length, 8);
        return out + text;
    }

    /// The whole file.
    std::string bytes(const Safetensors::Metadata& metadata = {}) const {
        std::string out = header(metadata);
        for (const std::string& group : groups_) out += group;
        return out;
    }

  private:
    static std::size_t group_of(Dtype dtype) {
        const std::size_t size = dtype_size_bytes(dtype);
        return size == 8 ? 0 : size == 4 ? 1 : size == 2 ? 2 : 3;
    }
    static void put_tensor(JsonWriter& json, const TensorInfo& tensor, std::uint64_t base) {
        json.key(tensor.name);
        json.begin_object();
        json.key("dtype");
        json.string(dtype_name(tensor.dtype));
        json.key("shape");
        json.begin_array();
        for (const std::uint64_t extent : tensor.shape()) json.count(extent);
        json.end_array();
        json.key("data_offsets");
        json.begin_array();
        json.count(base + tensor.begin);
        json.count(base + tensor.end);
        json.end_array();
        json.end_object();
    }
    void check_names() const {
        std::vector<std::string_view> names{"__metadata__"};
        for (const TensorInfo& tensor : tensors_) names.push_back(tensor.name);
        detail::sort_few(names);
        const auto twice = std::adjacent_find(names.begin(), names.end());
        if (twice != names.end()) throw InvalidSetting("the tensor name \"" + std::string(*twice) + "\" is used twice");
    }

    std::vector<TensorInfo> tensors_;
    std::string groups_[4];
};

}  // namespace partita::inline PARTITA_ABI
