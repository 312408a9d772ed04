using System.Globalization;
using System.Text;
using Platform.Caching.Catalogue;

namespace Platform.Tests.TestKit.Pages;

/// <summary>Writes the cache catalogue as Markdown, for the page <c>docs/caching.md</c>.</summary>
internal static class CacheDocumentation
{
    /// <summary>One section per kind of data.</summary>
    /// <returns>Markdown with line feeds as line ends.</returns>
    public static string Render()
    {
        var page = new StringBuilder("| kind | an entry is | key | changed by | warmed |\n| --- | --- | --- | --- | --- |\n");
        foreach (var cache in CacheCatalogue.All)
        {
            var tenant = cache.IsTenantOwned ? "{tenant}" : CacheKeys.NoTenant;
            var tag = cache.Tag is null ? "" : $"{{{cache.Tag}}}:";
            page.Append(
                CultureInfo.InvariantCulture,
                $"| `{cache.Kind}` | {cache.Holds} | `platform:v{cache.Version}:{tenant}:{cache.Kind}:{tag}{{id}}`; the id is {cache.Id} "
                    + $"| {cache.ChangedBy} | {(cache.IsWarmed ? "yes" : "no")} |\n");
        }

        page.Append("\n| kind | fresh | in memory | entries in memory | while nobody tells of changes | \"there is none\" | kept for bad times "
            + "| soft, hard time-out | read anew | one loader | `Cache-Control` |\n"
            + "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
        foreach (var cache in CacheCatalogue.All)
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"| `{cache.Kind}` | {Time(cache.TimeToLive)} | {Time(cache.LocalLife)} | {cache.LocalEntries:N0} "
                    + $"| {(cache.TrustsTime ? "memory serves" : "Redis is asked")} | {Time(cache.NegativeLife)} | {Time(cache.StaleLife)} "
                    + $"| {Time(cache.SoftTimeout)}, {Time(cache.HardTimeout)} "
                    + $"| {(cache.RefreshAhead < 1 ? $"at {cache.RefreshAhead * 100:N0} % of its life" : "never")} "
                    + $"| {(cache.OneLoader ? "in all processes" : "in each process")} | `{cache.CacheControl}` |\n");
        }

        return page.ToString();
    }

    private static string Time(TimeSpan time)
    {
        var (number, unit) = time switch
        {
            { TotalSeconds: < 1 } => (time.TotalMilliseconds, "ms"),
            { TotalMinutes: < 2 } => (time.TotalSeconds, "s"),
            { TotalHours: < 1 } => (time.TotalMinutes, "min"),
            _ => (time.TotalHours, "h"),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{number} {unit}");
    }
}
