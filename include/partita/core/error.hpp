// SPDX-License-Identifier: Apache-2.0
#pragma once

// Run-time errors: one type per cause. All derive from Error, say where and what to do, and can travel to another process.

#include <partita/core/version.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace partita::inline PARTITA_ABI {

/// Where something went wrong. Only what applies is filled in: numbers are -1 and texts empty otherwise.
struct Place {
    std::string file{};          ///< path of the file
    std::int64_t line = -1;      ///< line in the file, from 1 (a record that spans lines: its first)
    std::int64_t position = -1;  ///< column of the text in that line, in bytes, from 1
    std::int64_t row = -1;       ///< row id in the dataset, from 0
    std::string column{};        ///< name of the table's column
    std::int64_t element = -1;   ///< element of the vector that the column holds, from 0
    std::string stage{};         ///< the stage, as it is written in the program
    std::string setting{};       ///< the setting of that stage
    std::int64_t process = -1;   ///< the worker on which it happened; filled in by collectives
    std::int64_t block = -1;     ///< the block of rows it happened in; of several errors the lowest block wins

    [[gnu::cold, gnu::noinline]] ~Place() {}  // once in a program, not at every throw
};

/// The base of every error that the library throws. `what()` is a sentence that names the place and the remedy;
/// `place()` holds the same facts for a program.
class Error : public std::exception {
  public:
    // Out of line, and small rather than fast: programs have hundreds of places that throw.
    [[gnu::cold, gnu::noinline]] Error(std::string sentence, const Place& place = {})
        : sentence_(std::move(sentence)), place_(place) {}
    [[gnu::cold, gnu::noinline]] Error(const Error& other)
        : exception(other), sentence_(other.sentence_), place_(other.place_) {}
    Error& operator=(const Error&) = default;
    [[gnu::cold, gnu::noinline]] ~Error() override {}

    const char* what() const noexcept override { return sentence_.c_str(); }
    const Place& place() const noexcept { return place_; }
    Place& place() noexcept { return place_; }

    /// Completes an error that a kernel raised about one row of its block: kernels count rows from the block's first.
    [[gnu::cold, gnu::noinline]] void locate(std::int64_t row, std::int64_t block) {
        place_.block = block;
        if (row >= 0) {
            place_.row = row;
            sentence_ += " (row " + std::to_string(row) + ")";
        }
    }

    /// Completes an error about one element of a vector of features by that feature's name.
    [[gnu::cold, gnu::noinline]] void name_element(const std::string& name) {
        sentence_ += "; element " + std::to_string(place_.element) + " is \"" + name + "\"";
    }

    /// The cause as a stable word ("bad_value"), which is what travels between processes.
    virtual const char* cause() const noexcept = 0;
    /// Throws a copy of this error under its own type.
    [[noreturn]] virtual void raise() const = 0;

  private:
    std::string sentence_;
    Place place_;
};

/// What every concrete error type derives from: `Self` names its cause, `Base` the family it belongs to.
template <class Self, class Base = Error>
class ErrorOf : public Base {
  public:
    using Base::Base;
    const char* cause() const noexcept override { return Self::name; }
    [[noreturn]] void raise() const override { throw static_cast<const Self&>(*this); }
};

// ---- settings and data -------------------------------------------------------------------------------------------------

/// A setting is out of its range, or two settings contradict each other.
class InvalidSetting : public ErrorOf<InvalidSetting> {
  public:
    static constexpr const char* name = "invalid_setting";
    using ErrorOf::ErrorOf;
};
/// A fit, a metric or a split was given no rows (or no row of positive weight).
class EmptyDataset : public ErrorOf<EmptyDataset> {
  public:
    static constexpr const char* name = "empty_dataset";
    using ErrorOf::ErrorOf;
};
/// A feature, label or weight is NaN or infinite where a finite number is needed.
class NonFiniteValue : public ErrorOf<NonFiniteValue> {
  public:
    static constexpr const char* name = "non_finite_value";
    using ErrorOf::ErrorOf;
};
/// A value is missing where one is needed.
class MissingValue : public ErrorOf<MissingValue> {
  public:
    static constexpr const char* name = "missing_value";
    using ErrorOf::ErrorOf;
};
/// A weight is negative.
class NegativeWeight : public ErrorOf<NegativeWeight> {
  public:
    static constexpr const char* name = "negative_weight";
    using ErrorOf::ErrorOf;
};
/// A classifier was given labels of fewer or more classes than it can learn from.
class WrongClassCount : public ErrorOf<WrongClassCount> {
  public:
    static constexpr const char* name = "wrong_class_count";
    using ErrorOf::ErrorOf;
};
/// The features determine no unique solution: columns are constant or combinations of others, and nothing regularises them.
class CollinearFeatures : public ErrorOf<CollinearFeatures> {
  public:
    static constexpr const char* name = "collinear_features";
    using ErrorOf::ErrorOf;
};
/// A category was met that the fit had not seen, and the stage was told to refuse it.
class UnseenCategory : public ErrorOf<UnseenCategory> {
  public:
    static constexpr const char* name = "unseen_category";
    using ErrorOf::ErrorOf;
};
/// A column has more distinct categories than its stage was allowed to keep.
class TooManyCategories : public ErrorOf<TooManyCategories> {
  public:
    static constexpr const char* name = "too_many_categories";
    using ErrorOf::ErrorOf;
};
/// A vector has another width than the fit, or than the rows before it.
class WrongWidth : public ErrorOf<WrongWidth> {
  public:
    static constexpr const char* name = "wrong_width";
    using ErrorOf::ErrorOf;
};
/// A number left the range that its type can hold.
class NumericOverflow : public ErrorOf<NumericOverflow> {
  public:
    static constexpr const char* name = "numeric_overflow";
    using ErrorOf::ErrorOf;
};
/// The value of a metric was asked for where it is undefined.
class UndefinedMetric : public ErrorOf<UndefinedMetric> {
  public:
    static constexpr const char* name = "undefined_metric";
    using ErrorOf::ErrorOf;
};
/// An iterative fit stopped before it met its tolerance, and was told to insist.
class NotConverged : public ErrorOf<NotConverged> {
  public:
    static constexpr const char* name = "not_converged";
    using ErrorOf::ErrorOf;
};
/// A long operation was cancelled by its caller.
class Cancelled : public ErrorOf<Cancelled> {
  public:
    static constexpr const char* name = "cancelled";
    using ErrorOf::ErrorOf;
};

// ---- files -------------------------------------------------------------------------------------------------------------

/// A file cannot be opened, read, written or renamed; the sentence carries the system's reason.
class FileError : public ErrorOf<FileError> {
  public:
    static constexpr const char* name = "file_error";
    using ErrorOf::ErrorOf;
};
/// The feature needs a component that this program was built without (for instance partita::gzip).
class MissingComponent : public ErrorOf<MissingComponent> {
  public:
    static constexpr const char* name = "missing_component";
    using ErrorOf::ErrorOf;
};

/// The family of errors in a table read from text: file, line and position are in `place()`.
class TableError : public Error {
  public:
    using Error::Error;
};
/// A record has more or fewer fields than the header.
class WrongColumnCount : public ErrorOf<WrongColumnCount, TableError> {
  public:
    static constexpr const char* name = "wrong_column_count";
    using ErrorOf::ErrorOf;
};
/// A field does not spell a value of its column's type.
class BadValue : public ErrorOf<BadValue, TableError> {
  public:
    static constexpr const char* name = "bad_value";
    using ErrorOf::ErrorOf;
};
/// A quoted field is not closed, or text follows its closing quote.
class BadQuote : public ErrorOf<BadQuote, TableError> {
  public:
    static constexpr const char* name = "bad_quote";
    using ErrorOf::ErrorOf;
};
/// The header lacks a column that the row type has.
class MissingHeaderColumn : public ErrorOf<MissingHeaderColumn, TableError> {
  public:
    static constexpr const char* name = "missing_header_column";
    using ErrorOf::ErrorOf;
};
/// The header has a column twice.
class DuplicateHeaderColumn : public ErrorOf<DuplicateHeaderColumn, TableError> {
  public:
    static constexpr const char* name = "duplicate_header_column";
    using ErrorOf::ErrorOf;
};
/// A compressed file ends too early or is damaged.
class BadCompression : public ErrorOf<BadCompression, TableError> {
  public:
    static constexpr const char* name = "bad_compression";
    using ErrorOf::ErrorOf;
};
/// More bad records than the reader was allowed to collect.
class TooManyBadRecords : public ErrorOf<TooManyBadRecords, TableError> {
  public:
    static constexpr const char* name = "too_many_bad_records";
    using ErrorOf::ErrorOf;
};

/// The family of errors in a model file: whatever its bytes are, loading gives a model or one of these.
class ModelFileError : public Error {
  public:
    using Error::Error;
};
/// The file is shorter than it says.
class ModelFileTruncated : public ErrorOf<ModelFileTruncated, ModelFileError> {
  public:
    static constexpr const char* name = "model_file_truncated";
    using ErrorOf::ErrorOf;
};
/// A checksum does not match.
class ModelFileCorrupt : public ErrorOf<ModelFileCorrupt, ModelFileError> {
  public:
    static constexpr const char* name = "model_file_corrupt";
    using ErrorOf::ErrorOf;
};
/// The structure is not that of a model file.
class ModelFileMalformed : public ErrorOf<ModelFileMalformed, ModelFileError> {
  public:
    static constexpr const char* name = "model_file_malformed";
    using ErrorOf::ErrorOf;
};
/// The file has another format version, or a stage has another version, than this program reads.
class ModelFileVersion : public ErrorOf<ModelFileVersion, ModelFileError> {
  public:
    static constexpr const char* name = "model_file_version";
    using ErrorOf::ErrorOf;
};
/// The file holds another pipeline, or one fitted on another table.
class ModelFileMismatch : public ErrorOf<ModelFileMismatch, ModelFileError> {
  public:
    static constexpr const char* name = "model_file_mismatch";
    using ErrorOf::ErrorOf;
};
/// The numbers in the file are none that this stage's fit could have given.
class ModelFileInvalid : public ErrorOf<ModelFileInvalid, ModelFileError> {
  public:
    static constexpr const char* name = "model_file_invalid";
    using ErrorOf::ErrorOf;
};

// ---- workers -----------------------------------------------------------------------------------------------------------

/// Another worker threw something that is no partita::Error; `type()` is its type's name.
class RemoteError : public ErrorOf<RemoteError> {
  public:
    static constexpr const char* name = "remote_error";
    using ErrorOf::ErrorOf;
    RemoteError(std::string sentence, const Place& place, std::string type)
        : ErrorOf(std::move(sentence), place), type_(std::move(type)) {}
    const std::string& type() const noexcept { return type_; }

  private:
    std::string type_;
};
/// A worker is gone.
class WorkerLost : public ErrorOf<WorkerLost> {
  public:
    static constexpr const char* name = "worker_lost";
    using ErrorOf::ErrorOf;
};
/// A worker did not arrive at a collective before the deadline.
class DeadlineExceeded : public ErrorOf<DeadlineExceeded> {
  public:
    static constexpr const char* name = "deadline_exceeded";
    using ErrorOf::ErrorOf;
};
/// The workers called different collectives, or the same one with different sizes.
class CollectiveMismatch : public ErrorOf<CollectiveMismatch> {
  public:
    static constexpr const char* name = "collective_mismatch";
    using ErrorOf::ErrorOf;
};

/// A list of types, for the closed list below.
template <class... Types>
struct ErrorList {};

/// Every concrete error: what a worker can rebuild under its own type from a message.
using AllErrors =
    ErrorList<InvalidSetting, EmptyDataset, NonFiniteValue, MissingValue, NegativeWeight, WrongClassCount,
              CollinearFeatures, UnseenCategory, TooManyCategories, WrongWidth, NumericOverflow, UndefinedMetric,
              NotConverged, Cancelled, FileError, MissingComponent, WrongColumnCount, BadValue, BadQuote,
              MissingHeaderColumn, DuplicateHeaderColumn, BadCompression, TooManyBadRecords, ModelFileTruncated,
              ModelFileCorrupt, ModelFileMalformed, ModelFileVersion, ModelFileMismatch, ModelFileInvalid, RemoteError,
              WorkerLost, DeadlineExceeded, CollectiveMismatch>;

}  // namespace partita::inline PARTITA_ABI
