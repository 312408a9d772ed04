namespace Platform.Data.Rules;

/// <summary>One place of a document that breaks one rule.</summary>
/// <param name="Pointer">Where: a JSON pointer (<see href="https://www.rfc-editor.org/rfc/rfc6901"/>); empty for the whole document.</param>
/// <param name="Code">Which rule: one of <see cref="RuleCodes"/>, or the code of a <see cref="CrossFieldRule"/>.</param>
/// <param name="Detail">What is asked of the value, as a sentence for people.</param>
public sealed record RuleViolation(string Pointer, string Code, string Detail);
