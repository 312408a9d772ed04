namespace Platform.Data.Documents;

/// <summary>
/// Says that a stored member is made from others whenever a document is written. An update cannot change these alone, since the member would
/// stay as it was: the whole document is written instead.
/// </summary>
/// <param name="members">The names of the members that it is made from.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ComputedFromAttribute(params string[] members) : Attribute
{
    /// <summary>The names of the members that it is made from.</summary>
    public IReadOnlyList<string> Members => members;
}
