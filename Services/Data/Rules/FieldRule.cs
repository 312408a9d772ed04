using System.Reflection;

namespace Platform.Data.Rules;

/// <summary>One rule on one field of a collection's documents.</summary>
/// <param name="Path">The field, such as <c>lines[].quantity</c>: names joined by dots, <c>[]</c> for each entry of a list, <c>[1]</c> for a certain
/// one.</param>
/// <param name="Code">Which rule: one of <see cref="RuleCodes"/>.</param>
/// <param name="Limit">What the schema says, such as <c>1</c> for a minimum; empty where the code says all.</param>
/// <param name="Sentence">What the rule asks, as a sentence for people.</param>
/// <param name="Origin">The member that declares the rule, or whose type does; null for rules of a type that is not ours.</param>
public sealed record FieldRule(string Path, string Code, string Limit, string Sentence, PropertyInfo? Origin);
