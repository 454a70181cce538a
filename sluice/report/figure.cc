// Drawings that stand in the page as SVG: shapes stretch with the page's width, letters do not.
#include <cmath>

#include "sluice/report/page.h"
#include "sluice/report/text.h"

namespace sluice::page {

std::string coordinate(double value) {
  return json(std::round(value * 100) / 100 + 0.0);  // no minus zero
}

std::string figure_html(std::string_view css_class, const std::string& label, const std::string& rule, const std::string& shapes,
                        const std::string& texts) {
  return "<div class=\"figure " + std::string(css_class) + "\">\n<svg class=\"rule\" aria-hidden=\"true\">" + rule +
         "</svg>\n<svg class=\"field\" role=\"img\" aria-label=\"" + html(label) +
         "\">\n<svg viewBox=\"0 0 1000 1000\" preserveAspectRatio=\"none\">\n" + shapes + "</svg>\n" + texts + "</svg>\n</div>\n";
}

}  // namespace sluice::page
