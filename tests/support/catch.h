#pragma once

// Catch2 2.x (Debian 12) and 3.x (Debian 13): keep to TEST_CASE, SECTION, GENERATE, REQUIRE, CHECK,
// INFO.

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#else
#include <catch2/catch.hpp>
#endif
