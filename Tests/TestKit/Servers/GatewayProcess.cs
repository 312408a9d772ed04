using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Platform.Tests.TestKit.Servers;

/// <summary>The gateway in a process of its own, which can be killed and measured.</summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    private readonly string _user;
    private readonly string _password;

    private GatewayProcess(ServerProcess process, int port, string user, string password) =>
        (Process, Port, _user, _password) = (process, port, user, password);

    /// <summary>Its process.</summary>
    public ServerProcess Process { get; }

    /// <summary>Its port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>Starts it and waits for nothing.</summary>
    /// <param name="postgres">How it reaches PostgreSQL.</param>
    /// <param name="port">The port that it is to listen on.</param>
    /// <param name="user">The administrative user.</param>
    /// <param name="password">Its password, which goes by the environment: everybody on the machine can read a command line.</param>
    /// <param name="settings">Further environment variables.</param>
    public static GatewayProcess Start(string postgres, int port, string user, string password, IEnumerable<KeyValuePair<string, string?>> settings)
    {
        var environment = new Dictionary<string, string?>(settings)
        {
            [SettingNames.GatewayPort] = port.ToString(CultureInfo.InvariantCulture),
            [SettingNames.GatewayRootUsername] = user,
            [SettingNames.GatewayRootPassword] = password,
            ["ConnectionStrings__postgres"] = postgres,
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
            ["Logging__LogLevel__Default"] = "Warning",
        };
        return new GatewayProcess(ServerProcess.Start(BuiltProgram.Path("Gateway"), [], environment), port, user, password);
    }

    /// <summary>Waits until it serves commands.</summary>
    public async Task UntilReadyAsync(CancellationToken cancellationToken)
    {
        using var client = new MongoClient(
            $"mongodb://{Uri.EscapeDataString(_user)}:{Uri.EscapeDataString(_password)}@127.0.0.1:{Port}/"
            + "?authMechanism=SCRAM-SHA-256&directConnection=true&serverSelectionTimeoutMS=1000");
        var admin = client.GetDatabase("admin");
        await Process.UntilAsync(
            async () =>
            {
                try
                {
                    await admin.RunCommandAsync<BsonDocument>(new BsonDocument("ping", 1), ReadPreference.Primary, cancellationToken);
                    return true;
                }
                catch (Exception exception) when (exception is MongoException or TimeoutException)
                {
                    // While it starts, refusing connections is its answer.
                    return false;
                }
            },
            cancellationToken);
    }

    /// <summary>Kills it: no good-bye to anyone.</summary>
    public async ValueTask DisposeAsync()
    {
        await Process.KillAsync();
        await Process.DisposeAsync();
    }
}
