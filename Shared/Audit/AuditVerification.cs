namespace Platform.Audit;

/// <summary>What is not as it was written.</summary>
/// <param name="File">The file, without its directory; null when none is left.</param>
/// <param name="Line">The line of the file, from 1; 0 for the file as such.</param>
/// <param name="Kind">What kind of finding.</param>
/// <param name="Sentence">What was found, for a person.</param>
public sealed record AuditFinding(string? File, int Line, AuditFindingKind Kind, string Sentence);

/// <summary>Kinds of findings.</summary>
public enum AuditFindingKind
{
    /// <summary>A line was changed, or was not written by the log.</summary>
    Changed,

    /// <summary>Lines that were before this one are missing.</summary>
    Missing,

    /// <summary>A line stands where it was not written, or once more.</summary>
    Misplaced,

    /// <summary>The end was cut off.</summary>
    Cut,

    /// <summary>Nobody can say whether the end was cut off.</summary>
    NoHead,

    /// <summary>There is no key that the log could be verified with.</summary>
    NoKey,
}

/// <summary>What came of the verification of a log.</summary>
/// <param name="Writer">Who wrote it.</param>
/// <param name="Files">How many files there are.</param>
/// <param name="Lines">How many lines.</param>
/// <param name="First">The number of the first line; 0 without one.</param>
/// <param name="Last">The number of the last line; 0 without one.</param>
/// <param name="Notes">What a person may want to know: torn lines, events that came late or were lost.</param>
/// <param name="Findings">What is not as it was written, at most <see cref="AuditVerifier.MostFindings"/>.</param>
/// <param name="FindingCount">How many findings there are.</param>
public sealed record AuditVerification(
    string Writer, int Files, long Lines, long First, long Last, IReadOnlyList<string> Notes, IReadOnlyList<AuditFinding> Findings, long FindingCount);
