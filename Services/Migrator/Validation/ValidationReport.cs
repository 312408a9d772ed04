namespace Platform.Migrator.Validation;

/// <summary>What a validation of a database found.</summary>
/// <param name="Valid">Whether all documents obey.</param>
/// <param name="Collections">Each collection that was read.</param>
/// <param name="Examples">The first violations, a few per collection.</param>
/// <param name="FixReport">The file with all violations; null when none was asked for.</param>
internal sealed record ValidationReport(
    bool Valid, IReadOnlyList<ScanResult> Collections, IReadOnlyList<ValidationExample> Examples, string? FixReport);
