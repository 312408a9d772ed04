namespace Platform.Migrator.Validation;

/// <summary>One violation, for people.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Id">The document's id.</param>
/// <param name="Pointer">The place in the document, as a JSON pointer.</param>
/// <param name="Code">The rule.</param>
/// <param name="Detail">What the rule asks.</param>
internal sealed record ValidationExample(string Collection, string Id, string Pointer, string Code, string Detail);
