using Platform.Data.Catalogue;
using MongoDB.Driver;

namespace Platform.Data.Validation;

/// <summary>
/// How the server enforces the rules on documents. Configuration section <c>Validation</c>; <c>Validation:Level</c> and
/// <c>Validation:Action</c> are for all collections, <c>Validation:Collections:orders:Level</c> and <c>:Action</c> for one.
/// </summary>
/// <remarks><see href="https://www.mongodb.com/docs/manual/core/schema-validation/specify-validation-level/"/></remarks>
public sealed class ValidationOptions
{
    /// <summary>The configuration section that these options are bound to.</summary>
    public const string Section = "Validation";

    /// <summary>
    /// Which writes are checked: <c>strict</c> (all), <c>moderate</c> (not those to documents that broke the rules before) or
    /// <c>off</c>. Default: strict.
    /// </summary>
    public string Level { get; set; } = "strict";

    /// <summary>What happens to a document that breaks a rule: <c>error</c> (refused) or <c>warn</c> (logged by the server). Default: error.</summary>
    public string Action { get; set; } = "error";

    /// <summary>What differs for single collections, by their names. Default: nothing.</summary>
    public IDictionary<string, CollectionSettings> Collections { get; } = new Dictionary<string, CollectionSettings>(StringComparer.Ordinal);

    /// <summary>How one collection is enforced.</summary>
    /// <param name="collection">The collection's name.</param>
    /// <exception cref="ArgumentException">A setting is none of those that exist; options that passed their validation have none such.</exception>
    public CollectionValidation For(string collection)
    {
        var own = Collections.TryGetValue(collection, out var settings) ? settings : new CollectionSettings();
        return new CollectionValidation(
            Parse<DocumentValidationLevel>(own.Level ?? Level)
                ?? throw new ArgumentException($"{own.Level ?? Level} is no validation level.", nameof(collection)),
            Parse<DocumentValidationAction>(own.Action ?? Action)
                ?? throw new ArgumentException($"{own.Action ?? Action} is no validation action.", nameof(collection)));
    }

    /// <summary>What is wrong with the settings: one sentence for each, which names its key.</summary>
    internal IEnumerable<string> Mistakes()
    {
        var entries = new List<(string Key, string? Level, string? Action)> { (Section, Level, Action) };
        foreach (var (name, settings) in Collections)
        {
            var key = $"{Section}:{nameof(Collections)}:{name}";
            if (CollectionCatalogue.Domain.All(collection => collection.Name != name))
            {
                var names = CollectionCatalogue.Domain.Select(collection => collection.Name).ToList();
                yield return $"{key}: there is no collection of this name; "
                    + (NearestName.Of(name, names) is { } nearest ? $"did you mean {nearest}?" : $"there are {string.Join(", ", names)}.");
            }

            entries.Add((key, settings?.Level, settings?.Action));
        }

        foreach (var (key, level, action) in entries)
        {
            if (level is not null && Parse<DocumentValidationLevel>(level) is null)
            {
                yield return $"{key}:{nameof(Level)} must be strict, moderate or off, not '{level}'.";
            }

            if (action is not null && Parse<DocumentValidationAction>(action) is null)
            {
                yield return $"{key}:{nameof(Action)} must be error or warn, not '{action}'.";
            }
        }
    }

    private static TEnum? Parse<TEnum>(string text)
        where TEnum : struct, Enum =>
        Enum.GetValues<TEnum>()
            .Where(value => string.Equals(value.ToString(), text, StringComparison.OrdinalIgnoreCase))
            .Select(value => (TEnum?)value)
            .FirstOrDefault();

    /// <summary>What differs for one collection.</summary>
    public sealed class CollectionSettings
    {
        /// <summary>As <see cref="ValidationOptions.Level"/>; null for what that says.</summary>
        public string? Level { get; set; }

        /// <summary>As <see cref="ValidationOptions.Action"/>; null for what that says.</summary>
        public string? Action { get; set; }
    }
}
