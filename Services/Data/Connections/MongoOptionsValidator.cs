using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Options;

namespace Platform.Data.Connections;

/// <summary>Checks <see cref="MongoOptions"/> against the limits declared on them; each failure is one sentence that names the key.</summary>
internal sealed class MongoOptionsValidator : IValidateOptions<MongoOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, MongoOptions options)
    {
        List<string> failures = [];
        Check(MongoOptions.Section, options, failures);
        if (options.MinPoolSize > options.MaxPoolSize && options.MaxPoolSize > 0)
        {
            failures.Add(Sentence(MongoOptions.Section, nameof(options.MinPoolSize), options.MinPoolSize, string.Create(
                CultureInfo.InvariantCulture, $"must not be above {MongoOptions.Section}:{nameof(options.MaxPoolSize)}, which is {options.MaxPoolSize}")));
        }

        if (options.Retry.Delay > options.Retry.MaxDelay)
        {
            failures.Add(Sentence($"{MongoOptions.Section}:Retry", nameof(options.Retry.Delay), options.Retry.Delay,
                $"must not be above {MongoOptions.Section}:Retry:{nameof(options.Retry.MaxDelay)}, which is {options.Retry.MaxDelay}"));
        }

        if (options.Gate.GrowAfter >= options.Gate.QueueTimeout && options.Gate.QueueTimeout > TimeSpan.Zero)
        {
            failures.Add(Sentence($"{MongoOptions.Section}:Gate", nameof(options.Gate.GrowAfter), options.Gate.GrowAfter,
                $"must be below {MongoOptions.Section}:Gate:{nameof(options.Gate.QueueTimeout)}, which is {options.Gate.QueueTimeout}"));
        }

        if (int.TryParse(options.WriteConcern, NumberStyles.Integer, CultureInfo.InvariantCulture, out var members) && (members < 0 || members == 0 && options.Journal))
        {
            failures.Add(Sentence(MongoOptions.Section, nameof(options.WriteConcern), options.WriteConcern, "must acknowledge writes when they are to be journalled"));
        }

        return failures.Count > 0 ? ValidateOptionsResult.Fail(failures) : ValidateOptionsResult.Success;
    }

    /// <summary>What a setting may be, in words.</summary>
    /// <param name="property">The setting.</param>
    /// <returns>For instance <c>from 1 to 100</c>; null when its type says all.</returns>
    internal static string? AllowedOf(MemberInfo property)
    {
        if (property.GetCustomAttribute<RangeAttribute>() is { } range)
        {
            return string.Create(CultureInfo.InvariantCulture, $"from {range.Minimum} to {range.Maximum}");
        }

        if (property.GetCustomAttribute<AllowedValuesAttribute>() is { } values)
        {
            return $"one of {string.Join(", ", values.Values)}";
        }

        return property.GetCustomAttribute<RegularExpressionAttribute>() is { } expression ? $"text that matches {expression.Pattern}" : null;
    }

    private static void Check(string section, object options, List<string> failures)
    {
        foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var value = property.GetValue(options);
            if (value is not null && property.PropertyType.Namespace == typeof(MongoOptions).Namespace)
            {
                Check($"{section}:{property.Name}", value, failures);
                continue;
            }

            // An empty text passes a regular expression by the framework's rule; all of these allow it or have a default.
            if (property.GetCustomAttributes<ValidationAttribute>().Any(rule => !rule.IsValid(value) || value is null or ""
                && rule is RegularExpressionAttribute expression && !System.Text.RegularExpressions.Regex.IsMatch("", $"^(?:{expression.Pattern})$")))
            {
                failures.Add(Sentence(section, property.Name, value, $"must be {AllowedOf(property)}"));
            }
        }
    }

    private static string Sentence(string section, string key, object? value, string rule)
    {
        var shown = value is null or "" ? "empty" : Convert.ToString(value, CultureInfo.InvariantCulture);
        return $"{section}:{key} is {shown}, but {rule}.";
    }
}
