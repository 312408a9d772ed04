using System.Globalization;
using Platform.SecurityTool.Checks;

namespace Platform.SecurityTool.Reports;

/// <summary>The report for people.</summary>
internal static class SecurityText
{
    /// <summary>Prints it.</summary>
    /// <param name="text">Where.</param>
    /// <param name="report">The report.</param>
    /// <param name="colours">Whether the terminal shows colours.</param>
    public static void Print(TextWriter text, SecurityReport report, bool colours)
    {
        foreach (var check in report.Checks)
        {
            var (mark, colour) = check.Verdict switch
            {
                CheckVerdict.Passed => ("ok", "32"),
                CheckVerdict.Failed => ("FAILED", "31"),
                CheckVerdict.Unknown => ("?", "33"),
                _ => ("-", "2"),
            };
            text.WriteLine($"  {Paint(mark.PadRight(7), colour)} {check.Title}");
            foreach (var line in check.Evidence)
            {
                text.WriteLine($"          {Paint(Printable.Of(line), check.Verdict == CheckVerdict.Passed ? "2" : colour)}");
            }

            if (check.Verdict is CheckVerdict.Failed or CheckVerdict.Unknown)
            {
                text.WriteLine($"          Why:  {check.Why}");
                text.WriteLine($"          Mend: {check.Mend}");
                text.WriteLine($"          {check.Id}; {check.Source}");
            }
        }

        text.WriteLine();
        text.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Count(CheckVerdict.Passed)} passed, {report.Count(CheckVerdict.Failed)} failed, {report.Count(CheckVerdict.Unknown)} not known, "
                + $"{report.Count(CheckVerdict.NotApplicable)} do not apply."));

        string Paint(string words, string colour) => colours ? $"\e[{colour}m{words}\e[0m" : words;
    }
}
