// SPDX-License-Identifier: Apache-2.0

#include <partita/comm/error_wire.hpp>

#include <catch2/catch.hpp>

#include <stdexcept>
#include <string>

namespace error_wire_test {

namespace pt = partita;

namespace {

class ErrorOfAUser : public pt::ErrorOf<ErrorOfAUser> {
  public:
    static constexpr const char* name = "error_of_a_user";
    using ErrorOf::ErrorOf;
};

const pt::Place everywhere{.file = "a.csv",
                           .line = 1,
                           .position = 2,
                           .row = 3,
                           .column = "c",
                           .element = 6,
                           .stage = "Impute<\"c\">",
                           .setting = "strategy",
                           .process = 4,
                           .block = 5};

void check_same(const pt::Place& a, const pt::Place& b) {
    CHECK(a.file == b.file);
    CHECK(a.line == b.line);
    CHECK(a.position == b.position);
    CHECK(a.row == b.row);
    CHECK(a.column == b.column);
    CHECK(a.element == b.element);
    CHECK(a.stage == b.stage);
    CHECK(a.setting == b.setting);
    CHECK(a.process == b.process);
    CHECK(a.block == b.block);
}

template <class Type>
void goes_and_comes_back() {
    CAPTURE(Type::name);
    const auto sent = [] {
        if constexpr (std::is_same_v<Type, pt::RemoteError>) {
            return std::make_exception_ptr(Type("a sentence", everywhere, "std::bad_cast"));
        } else {
            return std::make_exception_ptr(Type("a sentence", everywhere));
        }
    }();
    const auto got = pt::detail::read_error(pt::detail::write_error(sent, -1, 9));
    try {
        std::rethrow_exception(got);
    } catch (const Type& error) {
        CHECK(typeid(error) == typeid(Type));
        CHECK(std::string(error.what()) == "a sentence");
        check_same(error.place(), everywhere);
        if constexpr (std::is_same_v<Type, pt::RemoteError>) CHECK(error.type() == "std::bad_cast");
    }  // any other type ends the test
}

template <class... Types>
void all_go_and_come_back(pt::ErrorList<Types...>) {
    (goes_and_comes_back<Types>(), ...);
}

}  // namespace

TEST_CASE("every error comes back under its own type, with its place", "[comm]") {
    all_go_and_come_back(pt::AllErrors{});
}

TEST_CASE("an error learns its process, and its block where only the caller knows it", "[comm]") {
    const auto error = std::make_exception_ptr(pt::EmptyDataset("none"));
    const auto wire = pt::detail::write_error(error, 12, 3);
    CHECK(pt::detail::key_of_error(wire).block == 12);
    CHECK(pt::detail::key_of_error(wire).rank == 3);
    try {
        std::rethrow_exception(error);
    } catch (const pt::EmptyDataset& original) {
        CHECK(original.place().process == 3);
        CHECK(original.place().block == 12);
    }
}

TEST_CASE("anything else becomes a RemoteError that names type, process and text", "[comm]") {
    const auto travel = [](std::exception_ptr error) {
        try {
            std::rethrow_exception(pt::detail::read_error(pt::detail::write_error(error, 6, 2)));
        } catch (const pt::RemoteError& remote) {
            CHECK(remote.place().process == 2);
            CHECK(remote.place().block == 6);
            return remote.type() + "|" + remote.what();
        }
    };
    CHECK(travel(std::make_exception_ptr(std::out_of_range("far"))) ==
          "std::out_of_range|process 2 threw std::out_of_range: far");
    CHECK(travel(std::make_exception_ptr(42)) == "int|process 2 threw int");
    CHECK_THAT(travel(std::make_exception_ptr(ErrorOfAUser("mine"))),
               Catch::Contains("ErrorOfAUser|process 2 threw") && Catch::EndsWith("ErrorOfAUser: mine"));
}

TEST_CASE("the order of errors: lowest block, those without last, then lowest rank", "[comm]") {
    using Key = pt::detail::ErrorKey;
    CHECK(Key{0, 9} < Key{1, 0});
    CHECK(Key{1, 0} < Key{1, 1});
    CHECK(Key{1000, 5} < Key{-1, 0});
    CHECK(Key{-1, 0} < Key{-1, 1});
    CHECK_FALSE(Key{-1, 0} < Key{7, 0});
    CHECK_FALSE(Key{3, 3} < Key{3, 3});
}

TEST_CASE("damaged bytes give some error and nothing worse", "[comm]") {
    const auto wire = pt::detail::write_error(std::make_exception_ptr(pt::BadValue("bad", everywhere)), -1, 0);
    for (std::size_t size = 0; size < wire.size(); ++size) {
        CHECK_THROWS_AS(std::rethrow_exception(pt::detail::read_error(std::span(wire).first(size))), pt::Error);
    }
}

TEST_CASE("an error of any length travels in few bytes", "[comm]") {
    const std::string text(1 << 20, 'x');
    const auto wire = pt::detail::write_error(
        std::make_exception_ptr(pt::BadValue(text, pt::Place{.file = text, .column = text, .setting = text})), -1, 9);
    CHECK(wire.size() < 20'000);
    try {
        std::rethrow_exception(pt::detail::read_error(wire));
    } catch (const pt::BadValue& error) {
        CHECK(std::string(error.what()).starts_with("xxxx"));
        CHECK(std::string(error.what()).ends_with(" …"));
        CHECK(error.place().process == 9);
    }
}

}  // namespace error_wire_test
