using System.Text.Json.Serialization;

namespace Platform.Migrator.Indexes;

/// <summary>What <c>migrator indexes plan</c> prints.</summary>
/// <param name="InLine">Whether database and catalogue agree.</param>
/// <param name="Changes">The differences of indexes.</param>
/// <param name="Collections">The differences of collections, one sentence each; 'migrator up' looks after them.</param>
internal sealed record PlanReport(bool InLine, IReadOnlyList<PlannedChange> Changes, IReadOnlyList<string> Collections);

/// <summary>One difference.</summary>
/// <param name="Kind">What kind.</param>
/// <param name="Collection">The collection.</param>
/// <param name="Index">The index.</param>
/// <param name="Keys">Its keys: as declared, or as they are for an unknown index.</param>
/// <param name="Difference">The option that differs; null unless it is changed or adjusted.</param>
/// <param name="HiddenSince">Since when it is hidden (UTC); null when it is not, or not known.</param>
/// <param name="Reason">What the index is for, or what will become of it.</param>
internal sealed record PlannedChange(
    IndexChangeKind Kind, string Collection, string Index, string Keys, string? Difference, DateTime? HiddenSince, string Reason);

/// <summary>What <c>migrator indexes apply</c> and <c>maintain</c> print of what they did.</summary>
/// <param name="Complete">Whether nothing is left to do.</param>
/// <param name="Outcomes">What became of each index.</param>
internal sealed record ApplyReport(bool Complete, IReadOnlyList<IndexOutcome> Outcomes);

/// <summary>What <c>migrator indexes status</c> prints.</summary>
/// <param name="InLine">Whether database and catalogue agree.</param>
/// <param name="Collections">How each collection stands.</param>
/// <param name="Notes">What is worth knowing of the server, a sentence each.</param>
internal sealed record IndexStatusReport(bool InLine, IReadOnlyList<CollectionIndexStatus> Collections, IReadOnlyList<string> Notes);

/// <summary>How one collection stands.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Kind"><c>collection</c>, <c>time series</c>, <c>plain</c> (meant to be a time series) or <c>missing</c>.</param>
/// <param name="Documents">How many documents, about.</param>
/// <param name="Declared">How many indexes are declared.</param>
/// <param name="Present">How many of them are there as declared.</param>
/// <param name="Missing">How many of them are not there.</param>
/// <param name="Changed">How many of them differ.</param>
/// <param name="Unknown">How many others there are.</param>
/// <param name="Hidden">How many of all are hidden.</param>
/// <param name="IndexBytes">What all indexes take, in bytes.</param>
internal sealed record CollectionIndexStatus(
    string Collection, string Kind, long Documents, int Declared, int Present, int Missing, int Changed, int Unknown, int Hidden, long IndexBytes);

/// <summary>What <c>migrator indexes usage</c> prints.</summary>
/// <param name="Indexes">The use of each index.</param>
/// <param name="Notes">What the server could not say, a sentence each.</param>
internal sealed record UsageReport(IReadOnlyList<UsageRow> Indexes, IReadOnlyList<string> Notes);

/// <summary>The use of one index.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Index">The index.</param>
/// <param name="Declared">Whether the catalogue declares it, or the server has it of itself.</param>
/// <param name="Hidden">Whether queries do not see it.</param>
/// <param name="Operations">How often it was used; null when the server does not count.</param>
/// <param name="Since">Since when (UTC); null when the server does not count.</param>
/// <param name="Bytes">What it takes, in bytes.</param>
/// <param name="Purpose">What it is for.</param>
internal sealed record UsageRow(
    string Collection, string Index, bool Declared, bool Hidden, long? Operations, DateTime? Since, long Bytes, string Purpose);

/// <summary>What <c>migrator indexes advise</c> prints.</summary>
/// <param name="Advice">The advice.</param>
/// <param name="SlowQueries">How many slow queries were looked at.</param>
/// <param name="Notes">What the server could not say, a sentence each.</param>
internal sealed record AdviceReport(IReadOnlyList<IndexAdvice> Advice, int SlowQueries, IReadOnlyList<string> Notes)
{
    /// <summary>Whether advice is to end the command with another exit code. Default: false.</summary>
    [JsonIgnore]
    public bool FailsOnAdvice { get; init; }
}

/// <summary>What <c>migrator indexes maintain</c> prints.</summary>
/// <param name="WithinBudget">Whether every index and all together are within what the catalogue allows.</param>
/// <param name="Indexes">Each index with its size and what is to be done with it.</param>
/// <param name="Outcomes">What was done.</param>
/// <param name="Notes">What the server could not say, a sentence each.</param>
internal sealed record MaintenanceReport(
    bool WithinBudget, IReadOnlyList<MaintenanceRow> Indexes, IReadOnlyList<IndexOutcome> Outcomes, IReadOnlyList<string> Notes);

/// <summary>One index in the report on maintenance.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Index">The index.</param>
/// <param name="Documents">How many documents the collection has, about.</param>
/// <param name="Bytes">What the index takes, in bytes.</param>
/// <param name="Budget">What it may take, in bytes; null for an index that is not declared.</param>
/// <param name="Candidate">What is to be done.</param>
/// <param name="Reason">Why.</param>
internal sealed record MaintenanceRow(
    string Collection, string Index, long Documents, long Bytes, long? Budget, MaintenanceCandidate Candidate, string Reason);
