using System.Buffers;
using System.Globalization;
using System.Numerics;
using MongoDB.Bson;
using Platform.Data.Documents;
using Platform.Data.Rules;

namespace Platform.Api.Problems;

/// <summary>
/// Reads the parts of a request and collects what is wrong with them, so that one answer names every wrong field. Each
/// method returns a usable value when the field is right and null or the default when it is not; a field that is there
/// but blank is wrong.
/// </summary>
public sealed class RequestErrors
{
    private static readonly SearchValues<char> s_numerals = SearchValues.Create("+-.0123456789");

    private readonly SortedDictionary<string, ProblemError> _errors = new(StringComparer.Ordinal);

    /// <summary>Whether nothing is wrong so far.</summary>
    public bool None => _errors.Count == 0;

    /// <summary>The wrong places with one sentence each, in the order of their names.</summary>
    public IReadOnlyCollection<ProblemError> All => _errors.Values;

    /// <summary>
    /// Notes that a parameter of the path or the query is wrong; the first note of a parameter stays.
    /// </summary>
    /// <param name="name">The parameter.</param>
    /// <param name="code">What is wrong with it.</param>
    /// <param name="sentence">The same for people.</param>
    public void Parameter(string name, string code, string sentence) =>
        _errors.TryAdd(name, new ProblemError(code, sentence) { Parameter = name });

    /// <summary>Notes that a header is wrong; the first note of a header stays.</summary>
    /// <param name="name">The header.</param>
    /// <param name="code">What is wrong with it.</param>
    /// <param name="sentence">The same for people.</param>
    public void Header(string name, string code, string sentence) =>
        _errors.TryAdd(name, new ProblemError(code, sentence) { Header = name });

    /// <summary>Notes that a place of the body is wrong; the first note of a place stays.</summary>
    /// <param name="pointer">The place, as a JSON pointer; empty for the whole body.</param>
    /// <param name="code">What is wrong there.</param>
    /// <param name="sentence">The same for people.</param>
    public void Body(string pointer, string code, string sentence) =>
        _errors.TryAdd(pointer, new ProblemError(code, sentence) { Pointer = pointer });

    /// <summary>Notes every broken rule of a document by its place.</summary>
    /// <param name="violations">The broken rules.</param>
    public void Body(IEnumerable<RuleViolation> violations)
    {
        ArgumentNullException.ThrowIfNull(violations);
        foreach (var violation in violations)
        {
            Body(violation.Pointer, violation.Code, violation.Detail);
        }
    }

    /// <summary>Reads an optional text.</summary>
    /// <param name="field">The field's name.</param>
    /// <param name="text">What the caller sent.</param>
    /// <param name="maxLength">
    /// The longest text allowed, in characters, which are counted as the rules on documents count them: code points.
    /// </param>
    public string? Text(string field, string? text, int maxLength)
    {
        if (text is null)
        {
            return null;
        }

        var trimmed = text.Trim();
        if (trimmed.Length == 0)
        {
            Parameter(field, ErrorCodes.Blank, "Must not be blank.");
        }
        else if (trimmed.EnumerateRunes().Count() > maxLength)
        {
            Parameter(field, RuleCodes.MaxLength, string.Create(
                CultureInfo.InvariantCulture, $"Must be at most {maxLength} characters long."));
        }
        else if (trimmed.Any(char.IsControl))
        {
            Parameter(field, ErrorCodes.Characters, "Must not contain control characters.");
        }
        else
        {
            return trimmed;
        }

        return null;
    }

    /// <summary>Reads an optional whole number.</summary>
    /// <param name="field">The field's name.</param>
    /// <param name="text">What the caller sent.</param>
    /// <param name="min">The least value allowed.</param>
    /// <param name="max">The greatest value allowed.</param>
    /// <param name="absent">The value when the caller sent nothing.</param>
    public int Whole(string field, string? text, int min, int max, int absent)
    {
        if (text is null)
        {
            return absent;
        }

        var isNumber = TryParse<int>(text, NumberStyles.AllowLeadingSign, out var value);
        if (isNumber && value >= min && value <= max)
        {
            return value;
        }

        Parameter(
            field,
            CodeOf(isNumber, value < min),
            string.Create(CultureInfo.InvariantCulture, $"Must be a whole number from {min} to {max}."));
        return absent;
    }

    /// <summary>Reads an optional amount of money, within the limits of a product's price.</summary>
    /// <param name="field">The field's name.</param>
    /// <param name="text">What the caller sent.</param>
    public decimal? Amount(string field, string? text)
    {
        if (text is null)
        {
            return null;
        }

        var isNumber = TryParse<decimal>(
            text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, out var value);
        var violations = new List<RuleViolation>();
        if (isNumber)
        {
            Price.Evaluate(new BsonDecimal128(value), "", violations);
            if (violations.Count == 0)
            {
                return value;
            }
        }

        Parameter(
            field,
            violations.Count == 0 ? RuleCodes.Type : violations[0].Code,
            $"Must be a number from {Price.Minimum} to {Price.Maximum}, such as 12.50.");
        return null;
    }

    /// <summary>Reads a number.</summary>
    /// <param name="field">The field's name.</param>
    /// <param name="text">What the caller sent.</param>
    /// <param name="min">The least value allowed.</param>
    /// <param name="max">The greatest value allowed.</param>
    /// <param name="absent">The value when the caller sent nothing; null when the field is required.</param>
    public double Number(string field, string? text, double min, double max, double? absent)
    {
        if (text is null && absent is not null)
        {
            return absent.Value;
        }

        const NumberStyles Styles = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint;
        var isNumber = TryParse<double>(text, Styles, out var value) && double.IsFinite(value);
        if (isNumber && value >= min && value <= max)
        {
            return value;
        }

        Parameter(
            field,
            text is null ? RuleCodes.Required : CodeOf(isNumber, value < min),
            string.Create(
                CultureInfo.InvariantCulture,
                $"{(text is null ? "Is required and must" : "Must")} be a number from {min} to {max}."));
        return absent ?? min;
    }

    /// <summary>Reads an optional day.</summary>
    /// <param name="field">The field's name.</param>
    /// <param name="text">What the caller sent.</param>
    /// <param name="absent">The day when the caller sent nothing.</param>
    public DateOnly Day(string field, string? text, DateOnly absent)
    {
        if (text is null)
        {
            return absent;
        }

        // Not the last year of the calendar: the day after is reckoned with.
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            && day.Year is >= 1970 and < 9999)
        {
            return day;
        }

        Parameter(field, RuleCodes.Type, "Must be a day such as 2026-01-31.");
        return absent;
    }

    /// <summary>Reads an id.</summary>
    /// <param name="field">The field's name.</param>
    /// <param name="text">What the caller sent.</param>
    public ObjectId Id(string field, string? text)
    {
        if (ObjectId.TryParse(text, out var id))
        {
            return id;
        }

        Parameter(field, RuleCodes.Type, ProductId.Sentence(RuleCodes.Type));
        return ObjectId.Empty;
    }

    private static SchemaNode Price { get; } = DocumentRules.Of((Product product) => product.Price);

    private static SchemaNode ProductId { get; } = DocumentRules.Of((Product product) => product.Id);

    // .NET reads over NULs at the end of a number.
    private static bool TryParse<T>(string? text, NumberStyles styles, out T value)
        where T : struct, INumber<T>
    {
        value = T.Zero;
        return text is not null && !text.AsSpan().ContainsAnyExcept(s_numerals)
            && T.TryParse(text, styles, CultureInfo.InvariantCulture, out value);
    }

    private static string CodeOf(bool isNumber, bool isBelow) =>
        !isNumber ? RuleCodes.Type : isBelow ? RuleCodes.Minimum : RuleCodes.Maximum;
}
