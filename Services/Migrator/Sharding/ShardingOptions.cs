using System.Globalization;
using Microsoft.Extensions.Options;

namespace Platform.Migrator.Sharding;

/// <summary>
/// What only a deployment knows of its shards: which regions there are, and when data may move. Configuration section <c>Sharding</c>. What is the
/// same everywhere, keys and sizes of ranges, the collection catalogue says.
/// </summary>
public sealed class ShardingOptions
{
    /// <summary>The configuration section that these options are bound to.</summary>
    public const string Section = "Sharding";

    /// <summary>The regions by their names; each is a zone. Default: none, so that tenants may be on any shard.</summary>
    public IDictionary<string, RegionSettings> Regions { get; } = new Dictionary<string, RegionSettings>(StringComparer.Ordinal);

    /// <summary>From when on the balancer may work, <c>HH:mm</c> in the time of the config servers. Default: empty, for always.</summary>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/tutorial/manage-sharded-cluster-balancer/#schedule-the-balancing-window"/></remarks>
    public string BalanceFrom { get; set; } = "";

    /// <summary>Until when, <c>HH:mm</c>. Default: empty, for always.</summary>
    public string BalanceUntil { get; set; } = "";

    /// <summary>Whether the balancer is to work at all; off, <c>sharding apply</c> leaves it off. Default: true.</summary>
    public bool Balancer { get; set; } = true;

    /// <summary>Whether the balancer may work only at certain times.</summary>
    public bool HasWindow => BalanceFrom.Length > 0;

    /// <summary>What is wrong with the settings: one sentence for each, which names its key.</summary>
    internal IEnumerable<string> Mistakes()
    {
        foreach (var (key, value) in new[] { (nameof(BalanceFrom), BalanceFrom), (nameof(BalanceUntil), BalanceUntil) })
        {
            if (value.Length > 0 && !TimeOnly.TryParseExact(value, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
            {
                yield return $"{Section}:{key} must be a time of the day such as 23:30, not '{value}'.";
            }
        }

        if ((BalanceFrom.Length == 0) != (BalanceUntil.Length == 0) || (BalanceFrom.Length > 0 && BalanceFrom == BalanceUntil))
        {
            yield return $"{Section}:{nameof(BalanceFrom)} and {Section}:{nameof(BalanceUntil)} belong together, and are two times.";
        }

        foreach (var (region, settings) in Regions.Where(region => region.Value.Shards.Count == 0))
        {
            yield return $"{Section}:{nameof(Regions)}:{region}:{nameof(settings.Shards)} must name the shards of the region.";
        }

        foreach (var tenant in Regions.SelectMany(region => region.Value.Tenants.Distinct(StringComparer.Ordinal))
            .GroupBy(slug => slug, StringComparer.Ordinal)
            .Where(regions => regions.Count() > 1))
        {
            yield return $"{Section}:{nameof(Regions)}: the tenant '{tenant.Key}' is in several regions.";
        }
    }

    /// <summary>One region.</summary>
    public sealed class RegionSettings
    {
        /// <summary>Its shards, by the names that the cluster has for them.</summary>
        public IList<string> Shards { get; } = [];

        /// <summary>The tenants whose documents are kept there, by their slugs. Default: none.</summary>
        public IList<string> Tenants { get; } = [];
    }
}

/// <summary>Checks <see cref="ShardingOptions"/>.</summary>
internal sealed class ShardingOptionsValidator : IValidateOptions<ShardingOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, ShardingOptions options) =>
        options.Mistakes().ToList() is { Count: > 0 } mistakes ? ValidateOptionsResult.Fail(mistakes) : ValidateOptionsResult.Success;
}
