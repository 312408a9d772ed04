namespace Platform.Data.Rules;

/// <summary>
/// The codes of the rules on single fields. They are the keywords of the schema, except that a wrong BSON type is
/// <see cref="Type"/> however it was declared. Rules over several fields have codes of their own, see <see cref="CrossFieldRules"/>.
/// </summary>
public static class RuleCodes
{
    /// <summary>The value has another type.</summary>
    public const string Type = "type";

    /// <summary>The field is missing.</summary>
    public const string Required = "required";

    /// <summary>The value is none of those that are allowed.</summary>
    public const string Enum = "enum";

    /// <summary>The number is too small.</summary>
    public const string Minimum = "minimum";

    /// <summary>The number is too great.</summary>
    public const string Maximum = "maximum";

    /// <summary>The text is too short.</summary>
    public const string MinLength = "minLength";

    /// <summary>The text is too long.</summary>
    public const string MaxLength = "maxLength";

    /// <summary>The text has another form.</summary>
    public const string Pattern = "pattern";

    /// <summary>The list has too few entries.</summary>
    public const string MinItems = "minItems";

    /// <summary>The list has too many entries.</summary>
    public const string MaxItems = "maxItems";

    /// <summary>The list has an entry twice.</summary>
    public const string UniqueItems = "uniqueItems";

    /// <summary>The object has a member that it cannot have.</summary>
    public const string AdditionalProperties = "additionalProperties";

    /// <summary>A rule that the server refused a document for, and did not name.</summary>
    public const string Unnamed = "rule";

    /// <summary>A key that names one document is taken by another.</summary>
    public const string Duplicate = "duplicate";
}
