using System.Diagnostics;
using System.Globalization;
using System.Net;
using MongoDB.Bson;
using MongoDB.Driver;
using MongoDB.Driver.Core.Servers;

namespace Platform.Hosting.Mongo;

/// <summary>A change of the primary that somebody asked for, and what came of it.</summary>
/// <param name="Before">Who was the primary.</param>
/// <param name="After">Who is; the same when it became the primary again.</param>
/// <param name="Without">How long there was none.</param>
internal sealed record PrimaryChange(string Before, string After, TimeSpan Without)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(10);

    /// <summary>Lets a primary go and waits until there is one again.</summary>
    /// <param name="client">A client of the set that sees the primary.</param>
    /// <param name="letGoAsync">Makes the primary stop being one; gets its host.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TimeoutException">There was no primary, or none came within 40 seconds.</exception>
    public static async Task<PrimaryChange> OfAsync(
        IMongoClient client, Func<string, Task> letGoAsync, CancellationToken cancellationToken)
    {
        var hello = await client.GetDatabase("admin").RunCommandAsync<BsonDocument>(
            new BsonDocument("hello", 1), ReadPreference.Primary, cancellationToken);
        var before = hello["me"].AsString;
        var election = PrimaryOf(client)?.ElectionId;
        await letGoAsync(before);
        var since = Stopwatch.GetTimestamp();
        var wasNone = false;
        while (true)
        {
            // Members tell the driver at once when they become, or cease to be, the primary: nobody is asked here.
            var primary = PrimaryOf(client);
            if (primary is not null && (wasNone || HostOf(primary) != before || primary.ElectionId != election))
            {
                return new PrimaryChange(before, HostOf(primary), Stopwatch.GetElapsedTime(since));
            }

            if (Stopwatch.GetElapsedTime(since) > s_patience)
            {
                throw new TimeoutException(string.Create(
                    CultureInfo.InvariantCulture, $"No member became the primary within {s_patience.TotalSeconds} s."));
            }

            wasNone |= primary is null;
            await Task.Delay(s_pause, cancellationToken);
        }
    }

    /// <summary>The outcome, for people.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"The primary was {Before} and is {(After == Before ? "the same again" : $"now {After}")}; "
            + $"{Without.TotalSeconds:0.0} s passed without one.");

    private static ServerDescription? PrimaryOf(IMongoClient client)
        => client.Cluster.Description.Servers.FirstOrDefault(server => server.Type == ServerType.ReplicaSetPrimary);

    private static string HostOf(ServerDescription server) => server.EndPoint switch
    {
        DnsEndPoint dns => string.Create(CultureInfo.InvariantCulture, $"{dns.Host}:{dns.Port}"),
        var other => other.ToString()!,
    };
}
