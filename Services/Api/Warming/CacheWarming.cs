using System.Diagnostics;
using Microsoft.Extensions.Options;
using Platform.Api.Products;
using Platform.Api.Tenants;
using Platform.Caching;
using Platform.Caching.Catalogue;
using Platform.Mongo.Connections;

namespace Platform.Api.Warming;

/// <summary>
/// Loads what the catalogue says after a start and after a flush, before anyone asks: the tenants, and the first page of each one's products. One entry at a
/// time, and after each a pause as long as it took: whoever asks meanwhile has at least half of the database.
/// </summary>
internal sealed partial class CacheWarming(
    DataCaches caches, ITenantDirectory tenants, ProductPages pages, IOptions<CacheOptions> options, TimeProvider time, ILogger<CacheWarming> logger)
    : BackgroundService
{
    // What nobody would wait for is not warmed.
    private const int MostTenants = 200;
    private const int Told = 50;

    private static readonly TimeSpan s_shortestPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _wanted = new(1);

    /// <inheritdoc/>
    public override void Dispose()
    {
        _wanted.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Warming)
        {
            return;
        }

        caches.Emptied += Want;
        while (!stoppingToken.IsCancellationRequested)
        {
            await _wanted.WaitAsync(stoppingToken);
            try
            {
                await WarmAsync(stoppingToken);
            }
            catch (Exception exception) when (MongoErrors.IsAway(exception) || MongoErrors.IsTransient(exception))
            {
                Away(logger, exception.Message.ReplaceLineEndings(" "));
                await Task.Delay(s_retry, time, stoppingToken);
                Want();
            }
#pragma warning disable CA1031 // The process serves requests: it does not end for what is done beside them.
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                Failed(logger, exception);
            }
        }
    }

    private void Want()
    {
        // However often it is wanted meanwhile, once is enough.
        if (_wanted.CurrentCount == 0)
        {
            _wanted.Release();
        }
    }

    private async Task WarmAsync(CancellationToken cancellationToken)
    {
        var begun = time.GetTimestamp();
        var all = (await tenants.ListAsync(cancellationToken)).Take(MostTenants).ToList();
        var filter = new ProductFilter(null, null, null, null);
        var done = 0;
        foreach (var tenant in all)
        {
            var started = Stopwatch.GetTimestamp();
            await tenants.FindAsync(tenant.Slug, cancellationToken);
            await pages.FirstAsync(tenant, null, ProductPages.ListOf(tenant, null, null, filter), filter, ProductPages.DefaultLimit, cancellationToken);
            if (++done % Told == 0)
            {
                Progress(logger, done, all.Count);
            }

            var took = Stopwatch.GetElapsedTime(started);
            await Task.Delay(took > s_shortestPause ? took : s_shortestPause, time, cancellationToken);
        }

        Warmed(logger, done, time.GetElapsedTime(begun).TotalSeconds);
    }

    [LoggerMessage(1, LogLevel.Information, "The caches are warm: {Tenants} tenants with their first pages, in {Seconds:0.0} s")]
    private static partial void Warmed(ILogger logger, int tenants, double seconds);

    [LoggerMessage(2, LogLevel.Information, "Warming the caches: {Done} of {Tenants} tenants")]
    private static partial void Progress(ILogger logger, int done, int tenants);

    [LoggerMessage(3, LogLevel.Warning, "The caches are not warm yet, and are warmed again in a moment: {Reason}")]
    private static partial void Away(ILogger logger, string reason);

    [LoggerMessage(4, LogLevel.Error, "The caches were not warmed")]
    private static partial void Failed(ILogger logger, Exception exception);
}
