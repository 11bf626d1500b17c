// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which values a model may be made of, and how they become tensors.

#include <partita/persist/model_file.hpp>

#include <boost/describe/bases.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace partita::inline PARTITA_ABI {

namespace detail {

template <class T>
concept DescribedEnum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;
template <class T>
concept PersistableScalar = TensorElement<T> || DescribedEnum<T>;
template <class T>
concept DescribedStruct = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;
template <class T>
concept PersistsItself = requires(const T& saved, T& loaded, ModelWriter& writer, ModelReader& reader) {
    { saved.save(writer) } -> std::same_as<void>;
    { loaded.load(reader) } -> std::same_as<void>;
};

template <class T>
using DescribedMembers =
    boost::describe::describe_members<T, boost::describe::mod_any_access | boost::describe::mod_inherited>;
template <class T, class Member>
using MemberType = std::remove_cvref_t<decltype(std::declval<T&>().*Member::pointer)>;

/// Calls `visit` with each member's descriptor, in the order of the description.
template <template <class...> class List, class... Members>
constexpr void for_each_member(List<Members...>, auto&& visit) {
    (visit(Members{}), ...);
}

/// Whether T can be saved, by itself or (as_column) as the elements of a vector, whose members then become columns.
template <class T, bool as_column>
struct IsPersistable
    : std::bool_constant<PersistableScalar<T> || std::same_as<T, std::string> || (!as_column && PersistsItself<T>)> {};
template <class T, bool as_column>
struct IsPersistable<std::optional<T>, as_column> : std::bool_constant<PersistableScalar<T>> {};
template <class T, bool as_column>
struct IsPersistable<std::vector<T>, as_column> : IsPersistable<T, true> {};
template <class T, bool as_column, class List>
struct MembersArePersistable;
template <class T, bool as_column, template <class...> class List, class... Members>
struct MembersArePersistable<T, as_column, List<Members...>>
    : std::bool_constant<(sizeof...(Members) > 0) && (... && IsPersistable<MemberType<T, Members>, as_column>::value)> {
};
template <DescribedStruct T, bool as_column>
    requires(!PersistsItself<T>)
struct IsPersistable<T, as_column>
    : std::bool_constant<std::is_default_constructible_v<T> &&
                         MembersArePersistable<T, as_column, DescribedMembers<T>>::value> {};

template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

}  // namespace detail

/// A type that `save_value` and `load_value` know.
///
/// Arithmetic types up to 64 bits and bool; enums described with Boost.Describe; std::string; std::optional of the
/// numeric ones; structs and classes described with Boost.Describe, of whatever access, that can be constructed without
/// arguments and have at least one member; std::vector of all these, in which a struct becomes a column per member; and any
/// type with the members `void save(ModelWriter&) const` and `void load(ModelReader&)`, which then do the work (not inside a vector).
template <class T>
concept Persistable = detail::IsPersistable<T, false>::value;

namespace detail {

// ---- numbers and enums --------------------------------------------------------------------------------------------------

template <class T>
struct RawOf {
    using type = T;
};
template <class T>
    requires std::is_enum_v<T>
struct RawOf<T> {
    using type = std::underlying_type_t<T>;
};
template <class T>
using StoredAs = typename RawOf<T>::type;

template <template <class...> class List, class... Enumerators, class T>
constexpr bool is_one_of(List<Enumerators...>, T value) {
    return (... || (value == Enumerators::value));
}

template <PersistableScalar T>
T from_raw(const ModelReader& reader, std::string_view name, StoredAs<T> raw) {
    if constexpr (std::is_enum_v<T>) {
        const T value = static_cast<T>(raw);
        if (!is_one_of(boost::describe::describe_enumerators<T>{}, value)) {
            reader.invalid("\"" + std::string(name) + "\" is " + std::to_string(raw) +
                           ", which is none of its enumerators");
        }
        return value;
    } else {
        return raw;
    }
}

// ---- validation ---------------------------------------------------------------------------------------------------------

template <class T>
concept Validated = requires(const T& value) { value.validate(); };

template <class T>
void validate_before_saving(const ModelWriter& writer, const T& value) {
    if constexpr (Validated<T>) {
        try {
            value.validate();
        } catch (const Error& error) {
            throw ModelFileInvalid(
                "the stage " + writer.stage_id() + " cannot be saved, its model is not valid: " + error.what(),
                Place{.stage = writer.stage_id()});
        }
    }
}

template <class T>
void validate_after_loading(const ModelReader& reader, const T& value) {
    if constexpr (Validated<T>) {
        try {
            value.validate();
        } catch (const Error& error) {
            reader.invalid(error.what());
        }
    }
}

/// What a file calls a member: its name, without the underscore in which private names end.
template <class Member>
constexpr std::string_view saved_name() {
    std::string_view name = Member::name;
    if (name.size() > 1 && name.ends_with('_')) name.remove_suffix(1);
    return name;
}

// ---- vectors: a tensor, or some, per column -----------------------------------------------------------------------------

template <class T>
void save_column(ModelWriter& writer, std::string_view name, const std::vector<T>& column) {
    if constexpr (TensorElement<T>) {
        writer.vector(name, column);
    } else if constexpr (std::is_enum_v<T>) {
        std::vector<StoredAs<T>> raw;
        raw.reserve(column.size());
        for (const T value : column) raw.push_back(static_cast<StoredAs<T>>(value));
        writer.vector(name, raw);
    } else if constexpr (std::same_as<T, std::string>) {
        writer.texts(name, column);
    } else if constexpr (is_optional<T>) {
        using Value = StoredAs<typename T::value_type>;
        std::vector<Value> values;
        std::vector<bool> present;
        for (const T& value : column) {
            present.push_back(value.has_value());
            values.push_back(value ? static_cast<Value>(*value) : Value{});
        }
        const NameScope scope = writer.scope(name);
        writer.vector("present", present);
        writer.vector("values", values);
    } else if constexpr (is_vector<T>) {
        std::vector<std::int64_t> spans;
        T values;
        for (const T& value : column) {
            spans.push_back(static_cast<std::int64_t>(values.size()));
            values.insert(values.end(), value.begin(), value.end());
            spans.push_back(static_cast<std::int64_t>(values.size()));
        }
        const NameScope scope = writer.scope(name);
        writer.tensor("spans", spans, {column.size(), 2});
        save_column(writer, "values", values);
    } else {
        for (const T& value : column) validate_before_saving(writer, value);
        const NameScope scope = writer.scope(name);
        for_each_member(DescribedMembers<T>{}, [&]<class Member>(Member) {
            std::vector<MemberType<T, Member>> values;
            values.reserve(column.size());
            for (const T& value : column) values.push_back(value.*Member::pointer);
            save_column(writer, saved_name<Member>(), values);
        });
    }
}

/// Checks that `spans` are pairs of begin and end that follow each other from 0 to `size`.
inline void check_spans(const ModelReader& reader, const Tensor<std::int64_t>& spans, std::size_t size) {
    if (spans.shape.size() != 2 || spans.shape[1] != 2) reader.malformed("spans need two numbers per element");
    std::int64_t at = 0;
    for (std::size_t i = 0; i < spans.values.size(); i += 2) {
        if (spans.values[i] != at || spans.values[i + 1] < at)
            reader.invalid("the spans of a list do not follow each other");
        at = spans.values[i + 1];
    }
    if (at != static_cast<std::int64_t>(size)) reader.invalid("the spans of a list do not cover its values");
}

template <class T>
std::vector<T> load_column(ModelReader& reader, std::string_view name) {
    if constexpr (TensorElement<T>) {
        return reader.vector<T>(name);
    } else if constexpr (std::is_enum_v<T>) {
        const std::vector<StoredAs<T>> raw = reader.vector<StoredAs<T>>(name);
        std::vector<T> column;
        column.reserve(raw.size());
        for (const StoredAs<T> value : raw) column.push_back(from_raw<T>(reader, name, value));
        return column;
    } else if constexpr (std::same_as<T, std::string>) {
        return reader.texts(name);
    } else if constexpr (is_optional<T>) {
        using Value = typename T::value_type;
        const NameScope scope = reader.scope(name);
        const std::vector<bool> present = reader.vector<bool>("present");
        const std::vector<StoredAs<Value>> values = reader.vector<StoredAs<Value>>("values");
        if (present.size() != values.size())
            reader.malformed("\"" + std::string(name) + "\" has fewer flags than values, or more");
        std::vector<T> column(values.size());
        for (std::size_t i = 0; i < column.size(); ++i) {
            if (present[i]) column[i] = from_raw<Value>(reader, name, values[i]);
        }
        return column;
    } else if constexpr (is_vector<T>) {
        const NameScope scope = reader.scope(name);
        const Tensor<std::int64_t> spans = reader.tensor<std::int64_t>("spans");
        T values = load_column<typename T::value_type>(reader, "values");
        check_spans(reader, spans, values.size());
        std::vector<T> column(spans.values.size() / 2);
        for (std::size_t i = 0; i < column.size(); ++i) {
            column[i].reserve(static_cast<std::size_t>(spans.values[2 * i + 1] - spans.values[2 * i]));
            for (std::int64_t j = spans.values[2 * i]; j < spans.values[2 * i + 1]; ++j) {
                column[i].push_back(std::move(values[static_cast<std::size_t>(j)]));
            }
        }
        return column;
    } else {
        std::vector<T> column;
        bool first = true;
        {
            const NameScope scope = reader.scope(name);
            for_each_member(DescribedMembers<T>{}, [&]<class Member>(Member) {
                std::vector<MemberType<T, Member>> values =
                    load_column<MemberType<T, Member>>(reader, saved_name<Member>());
                if (first) column.resize(values.size());
                first = false;
                if (values.size() != column.size()) {
                    reader.malformed("the columns of \"" + std::string(name) + "\" differ in length");
                }
                for (std::size_t i = 0; i < column.size(); ++i) column[i].*Member::pointer = std::move(values[i]);
            });
        }
        for (const T& value : column) validate_after_loading(reader, value);
        return column;
    }
}

template <class T>
constexpr void explain_persistable() {
    static_assert(Persistable<T>,
                  "partita: this value cannot be saved. A model is made of numbers, bool, enums described with "
                  "BOOST_DESCRIBE_ENUM, "
                  "std::string, std::optional of numbers, structs described with BOOST_DESCRIBE_STRUCT or "
                  "BOOST_DESCRIBE_CLASS, and "
                  "std::vector of these; or it has the members `void save(partita::ModelWriter&) const` and "
                  "`void load(partita::ModelReader&)`.");
}

}  // namespace detail

/// Saves `value` under `name` in the writer's current stage; members of a struct as `name`.member, without the
/// underscore of a private one. With an empty name the
/// members stand alone, as for the model that is a whole stage.
///
/// A struct or class may have `void validate() const`, which throws a ModelFileInvalid that says what is wrong: it is called
/// here, so that no file is written that could not be loaded, and by `load_value`, which adds file and stage.
/// Errors: ModelFileInvalid, InvalidSetting.
template <class T>
void save_value(ModelWriter& writer, std::string_view name, const T& value) {
    detail::explain_persistable<T>();
    if constexpr (!Persistable<T>) {
    } else if constexpr (detail::PersistsItself<T>) {
        detail::validate_before_saving(writer, value);
        const NameScope scope = writer.scope(name);
        value.save(writer);
    } else if constexpr (detail::PersistableScalar<T>) {
        writer.scalar(name, static_cast<detail::StoredAs<T>>(value));
    } else if constexpr (std::same_as<T, std::string>) {
        writer.text(name, value);
    } else if constexpr (detail::is_optional<T>) {
        std::vector<detail::StoredAs<typename T::value_type>> values;
        if (value) values.push_back(static_cast<detail::StoredAs<typename T::value_type>>(*value));
        writer.vector(name, values);
    } else if constexpr (detail::is_vector<T>) {
        detail::save_column(writer, name, value);
    } else {
        detail::validate_before_saving(writer, value);
        const NameScope scope = writer.scope(name);
        detail::for_each_member(detail::DescribedMembers<T>{}, [&]<class Member>(Member) {
            save_value(writer, detail::saved_name<Member>(), value.*Member::pointer);
        });
    }
}

/// Loads what `save_value` saved under `name` from the reader's current stage; every number has the bits that were saved.
///
/// Errors: ModelFileMalformed, ModelFileInvalid.
template <class T>
void load_value(ModelReader& reader, std::string_view name, T& value) {
    detail::explain_persistable<T>();
    if constexpr (!Persistable<T>) {
    } else if constexpr (detail::PersistsItself<T>) {
        {
            const NameScope scope = reader.scope(name);
            value.load(reader);
        }
        detail::validate_after_loading(reader, value);
    } else if constexpr (detail::PersistableScalar<T>) {
        value = detail::from_raw<T>(reader, name, reader.scalar<detail::StoredAs<T>>(name));
    } else if constexpr (std::same_as<T, std::string>) {
        value = reader.text(name);
    } else if constexpr (detail::is_optional<T>) {
        using Value = typename T::value_type;
        const std::vector<detail::StoredAs<Value>> values = reader.vector<detail::StoredAs<Value>>(name);
        if (values.size() > 1) reader.invalid("\"" + std::string(name) + "\" holds more than one value");
        value.reset();
        if (!values.empty()) value = detail::from_raw<Value>(reader, name, values[0]);
    } else if constexpr (detail::is_vector<T>) {
        value = detail::load_column<typename T::value_type>(reader, name);
    } else {
        {
            const NameScope scope = reader.scope(name);
            detail::for_each_member(detail::DescribedMembers<T>{}, [&]<class Member>(Member) {
                load_value(reader, detail::saved_name<Member>(), value.*Member::pointer);
            });
        }
        detail::validate_after_loading(reader, value);
    }
}

}  // namespace partita::inline PARTITA_ABI
