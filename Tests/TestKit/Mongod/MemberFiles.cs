using System.Globalization;
using MongoDB.Bson;

namespace Platform.Tests.TestKit.Mongod;

/// <summary>
/// What a <see cref="ScriptedMongod"/> holds, in files of its data directory, so that it outlives the process. Members of a set have
/// directories beside each other, and what one of them is told reaches the others that run by these files.
/// </summary>
internal sealed class MemberFiles(string directory)
{
    private static readonly TimeSpan s_precision = TimeSpan.FromSeconds(2);

    private const string Process = "process.json";
    private const string Configuration = "config.json";
    private const string UserList = "users.json";

    /// <summary>The configuration of the set; null before it is initiated.</summary>
    public BsonDocument? Config => Read(Configuration);

    /// <summary>The users by name, with what is kept of their passwords; null when there are none.</summary>
    public BsonDocument? Users => Read(UserList);

    /// <summary>Notes who serves this directory.</summary>
    /// <exception cref="IOException">There is no such directory, as mongod says, too.</exception>
    public void Open(int port) => Write(
        Process,
        new BsonDocument { { "port", port }, { "pid", Environment.ProcessId }, { "start", Started(Environment.ProcessId)!.Value } });

    /// <summary>Whether a member of the set runs at a host, <c>localhost:port</c>.</summary>
    public bool Runs(string host) => At(host) is not null;

    /// <summary>Writes the configuration to all of its members that run.</summary>
    public static void Configure(MemberFiles asker, BsonDocument config) => asker.Spread(Configuration, config, HostsOf(config));

    /// <summary>Writes the users to all members that run.</summary>
    public void Keep(BsonDocument users) => Spread(UserList, users, HostsOf(Config!));

    /// <summary>The hosts of a configuration, in its order.</summary>
    public static List<string> HostsOf(BsonDocument config)
        => [.. config["members"].AsBsonArray.Select(member => member["host"].AsString)];

    /// <summary>
    /// The primary by the configuration: the first member that runs, while most of them do; null when there is none.
    /// </summary>
    public string? Primary()
    {
        if (Config is not { } config)
        {
            return null;
        }

        var hosts = HostsOf(config);
        var there = hosts.Where(Runs).ToList();
        return 2 * there.Count > hosts.Count ? there[0] : null;
    }

    private void Spread(string file, BsonDocument content, IEnumerable<string> hosts)
    {
        foreach (var member in hosts.Select(At).OfType<MemberFiles>())
        {
            member.Write(file, content);
        }
    }

    private MemberFiles? At(string host)
    {
        var port = int.Parse(host[(host.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture);
        foreach (var sibling in Directory.EnumerateDirectories(Path.GetDirectoryName(directory)!))
        {
            var files = new MemberFiles(sibling);
            if (files.Read(Process) is { } process && process["port"] == port
                && Started(process["pid"].AsInt32) is { } start && (start - process["start"].ToUniversalTime()).Duration() < s_precision)
            {
                return files;
            }
        }

        return null;
    }

    // A number of a process is used again; the time of its start tells them apart, which each process reckons for itself.
    private static DateTime? Started(int pid)
    {
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(pid);
            return process.StartTime.ToUniversalTime();
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    private BsonDocument? Read(string file)
    {
        try
        {
            return BsonDocument.Parse(File.ReadAllText(Path.Combine(directory, file)));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private void Write(string file, BsonDocument content)
    {
        // Renamed into place, so that nobody reads half of it.
        var draft = Path.Combine(directory, $"{file}.{Environment.ProcessId}");
        File.WriteAllText(draft, content.ToJson());
        File.Move(draft, Path.Combine(directory, file), overwrite: true);
    }
}
