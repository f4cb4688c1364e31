#pragma once

// Answers in every format of -o: tables for people, JSON, YAML, CSV and names for programs. Pure.

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cli/output/format.h"
#include "common/json/json.h"

namespace forebay::cli {

struct Column {
  std::string title;
  // Only with -o wide and csv.
  bool wide = false;
  // Numbers.
  bool right = false;
  // Cells are states and get their color.
  bool state = false;
};

// One resource in a list.
struct Row {
  // What a next command takes, for -o name.
  std::string name;
  std::vector<std::string> cells;
  // For -o json and yaml; built only then.
  Json value;
};

struct Listing {
  std::vector<Column> columns;
  std::vector<Row> rows;
};

// Columns are two blanks apart; a line longer than the terminal has its last cell cut.
void PrintListing(const Listing& listing, const OutputOptions& options, std::ostream& out);

// One resource: its labelled details for people, in their order; empty ones are left out.
struct Card {
  std::string name;
  std::vector<std::pair<std::string, std::string>> details;
  Json value;
};
void PrintCard(const Card& card, const OutputOptions& options, std::ostream& out);

}  // namespace forebay::cli
