using System.Globalization;
using MongoDB.Bson;

namespace Platform.Api.Problems;

/// <summary>
/// Reads the parts of a request and collects what is wrong with them, so that one answer names every wrong field. Each
/// method returns a usable value when the field is right and null or the default when it is not; a field that is there but
/// blank is wrong.
/// </summary>
public sealed class RequestErrors
{
    private readonly SortedDictionary<string, string[]> _errors = new(StringComparer.Ordinal);

    /// <summary>Whether nothing is wrong so far.</summary>
    public bool None => _errors.Count == 0;

    /// <summary>The wrong fields with one sentence each, in the order of their names.</summary>
    public IReadOnlyDictionary<string, string[]> ByField => _errors;

    /// <summary>Notes that a field is wrong; the first note of a field stays.</summary>
    /// <param name="field">The field, as the caller wrote it.</param>
    /// <param name="sentence">What is wrong with it.</param>
    public void Add(string field, string sentence) => _errors.TryAdd(field, [sentence]);

    /// <summary>Reads an optional text.</summary>
    /// <param name="field">The field's name.</param>
    /// <param name="text">What the caller sent.</param>
    /// <param name="maxLength">The longest text allowed, in characters.</param>
    public string? Text(string field, string? text, int maxLength)
    {
        if (text is null)
        {
            return null;
        }

        var trimmed = text.Trim();
        if (trimmed.Length == 0)
        {
            Add(field, "Must not be blank.");
        }
        else if (trimmed.Length > maxLength)
        {
            Add(field, string.Create(CultureInfo.InvariantCulture, $"Must be at most {maxLength} characters long."));
        }
        else if (trimmed.Any(char.IsControl))
        {
            Add(field, "Must not contain control characters.");
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

        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            && value >= min && value <= max)
        {
            return value;
        }

        Add(field, string.Create(CultureInfo.InvariantCulture, $"Must be a whole number from {min} to {max}."));
        return absent;
    }

    /// <summary>Reads an optional amount of money that is not negative.</summary>
    /// <param name="field">The field's name.</param>
    /// <param name="text">What the caller sent.</param>
    public decimal? Amount(string field, string? text)
    {
        const decimal Max = 1_000_000_000m;
        if (text is null)
        {
            return null;
        }

        if (decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value <= Max)
        {
            return value;
        }

        Add(field, string.Create(CultureInfo.InvariantCulture, $"Must be a number from 0 to {Max}, such as 12.50."));
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

        if (double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            && value >= min && value <= max)
        {
            return value;
        }

        Add(field, string.Create(
            CultureInfo.InvariantCulture,
            $"{(text is null ? "Is required and must" : "Must")} be a number from {min} to {max}."));
        return absent ?? min;
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

        Add(field, "Must be an id: 24 hexadecimal digits.");
        return ObjectId.Empty;
    }
}
