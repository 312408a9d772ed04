using Platform.SecurityTool.Checks;

namespace Platform.SecurityTool.Reports;

/// <summary>What the checks found.</summary>
/// <param name="Checks">A line for each check, in the catalogue's order.</param>
internal sealed record SecurityReport(IReadOnlyList<CheckedLine> Checks)
{
    /// <summary>Whether all that apply hold.</summary>
    public bool IsGood => Checks.All(check => check.Verdict is CheckVerdict.Passed or CheckVerdict.NotApplicable);

    /// <summary>How many have a verdict.</summary>
    public int Count(CheckVerdict verdict) => Checks.Count(check => check.Verdict == verdict);
}

/// <summary>A check and what it found.</summary>
/// <param name="Id">The check's name.</param>
/// <param name="Title">What was to hold.</param>
/// <param name="Verdict">Whether it does.</param>
/// <param name="Evidence">What was seen.</param>
/// <param name="Why">What could happen otherwise.</param>
/// <param name="Mend">What to do about it.</param>
/// <param name="Source">Who asks for it.</param>
internal sealed record CheckedLine(string Id, string Title, CheckVerdict Verdict, IReadOnlyList<string> Evidence, string Why, string Mend, string Source);
