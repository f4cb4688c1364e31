#include "cli/output/listing.h"

#include <algorithm>
#include <ostream>

#include "cli/output/yaml.h"

namespace forebay::cli {
namespace {

constexpr size_t kGap = 2;
// Below this, a cut cell says nothing.
constexpr size_t kLeastCutWidth = 8;

bool IsShown(const Column& column, OutputFormat format) {
  return !column.wide || format == OutputFormat::kWide || format == OutputFormat::kCsv;
}

std::string CsvCell(const std::string& cell) {
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

void PrintCsvLine(const std::vector<std::string>& cells, std::ostream& out) {
  for (size_t i = 0; i < cells.size(); ++i) out << (i == 0 ? "" : ",") << CsvCell(cells[i]);
  out << '\n';
}

std::vector<std::string> Titles(const Listing& listing) {
  std::vector<std::string> titles;
  for (const Column& column : listing.columns) titles.push_back(column.title);
  return titles;
}

void PrintCsv(const Listing& listing, std::ostream& out) {
  PrintCsvLine(Titles(listing), out);
  for (const Row& row : listing.rows) PrintCsvLine(row.cells, out);
}

// A line break inside a cell would tear the table, an escape sequence would command the terminal.
std::string OneLine(std::string cell) {
  std::replace_if(
      cell.begin(), cell.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; }, ' ');
  return cell;
}

class TablePrinter {
 public:
  TablePrinter(const Listing& listing, const OutputOptions& options, std::ostream& out)
      : listing_(listing), options_(options), out_(out) {
    for (size_t i = 0; i < listing.columns.size(); ++i) {
      if (IsShown(listing.columns[i], options.format)) shown_.push_back(i);
      widths_.push_back(DisplayWidth(listing.columns[i].title));
    }
    for (const Row& row : listing.rows) {
      for (size_t i = 0; i < row.cells.size(); ++i) {
        widths_[i] = std::max(widths_[i], DisplayWidth(row.cells[i]));
      }
    }
  }

  void Print() {
    PrintLine(Titles(listing_), true);
    for (const Row& row : listing_.rows) PrintLine(row.cells, false);
  }

 private:
  void PrintLine(const std::vector<std::string>& cells, bool header) {
    size_t used = 0;
    std::string line;
    for (const size_t i : shown_) {
      const bool last = i == shown_.back();
      const std::string cell = last ? CutToTerminal(OneLine(cells[i]), used) : OneLine(cells[i]);
      const size_t pad = widths_[i] - std::min(widths_[i], DisplayWidth(cell));
      const bool right = listing_.columns[i].right;
      if (right) line.append(pad, ' ');
      line += Colored(cell, ColorOf(i, cell, header), options_.color_out);
      if (!last) line.append((right ? 0 : pad) + kGap, ' ');
      used += widths_[i] + kGap;
    }
    out_ << line.substr(0, line.find_last_not_of(' ') + 1) << '\n';
  }

  std::string CutToTerminal(const std::string& cell, size_t used) const {
    const auto width = static_cast<size_t>(options_.width);
    if (width < used + kLeastCutWidth) return cell;
    return Shortened(cell, width - used);
  }

  Color ColorOf(size_t column, const std::string& cell, bool header) const {
    if (header) return Color::kBold;
    return listing_.columns[column].state ? StateColor(cell) : Color::kNone;
  }

  const Listing& listing_;
  const OutputOptions& options_;
  std::ostream& out_;
  std::vector<size_t> shown_;
  std::vector<size_t> widths_;
};

void PrintDetails(const Card& card, const OutputOptions& options, std::ostream& out) {
  size_t width = 0;
  for (const auto& [label, text] : card.details) {
    if (!text.empty()) width = std::max(width, DisplayWidth(label));
  }
  for (const auto& [label, text] : card.details) {
    if (text.empty()) continue;
    const std::string pad(width - DisplayWidth(label) + kGap, ' ');
    out << Colored(label + ':', Color::kBold, options.color_out) << pad
        << Colored(OneLine(text), StateColor(text), options.color_out) << '\n';
  }
}

void PrintCardCsv(const Card& card, std::ostream& out) {
  std::vector<std::string> titles;
  std::vector<std::string> cells;
  for (const auto& [label, text] : card.details) {
    titles.push_back(label);
    cells.push_back(text);
  }
  PrintCsvLine(titles, out);
  PrintCsvLine(cells, out);
}

}  // namespace

void PrintListing(const Listing& listing, const OutputOptions& options, std::ostream& out) {
  Json values = Json::array();
  switch (options.format) {
    case OutputFormat::kJson:
    case OutputFormat::kYaml:
      for (const Row& row : listing.rows) values.push_back(row.value);
      out << (options.format == OutputFormat::kYaml ? ToYaml(values)
                                                    : DumpPrettyJson(values) + '\n');
      return;
    case OutputFormat::kName:
      for (const Row& row : listing.rows) out << row.name << '\n';
      return;
    case OutputFormat::kCsv:
      return PrintCsv(listing, out);
    case OutputFormat::kTable:
    case OutputFormat::kWide:
      if (!listing.rows.empty()) TablePrinter(listing, options, out).Print();
  }
}

void PrintCard(const Card& card, const OutputOptions& options, std::ostream& out) {
  switch (options.format) {
    case OutputFormat::kJson:
      out << DumpPrettyJson(card.value) << '\n';
      return;
    case OutputFormat::kYaml:
      out << ToYaml(card.value);
      return;
    case OutputFormat::kName:
      out << card.name << '\n';
      return;
    case OutputFormat::kCsv:
      return PrintCardCsv(card, out);
    case OutputFormat::kTable:
    case OutputFormat::kWide:
      PrintDetails(card, options, out);
  }
}

}  // namespace forebay::cli
