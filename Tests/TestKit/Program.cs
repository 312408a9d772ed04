using System.CommandLine;
using System.Globalization;
using Platform.Tests.TestKit.Mongod;

if (args is [ProgramLoop.Argument])
{
    return await ProgramLoop.RunAsync();
}

if (args is ["mongod", .. var mongod])
{
    return await ScriptedMongod.RunAsync(mongod);
}

// The proxy for clients in other languages. The first line of output is the port; then come faults as they happen, when asked for, and at
// the end how many there were. What it is told on standard input it does at once; it ends with standard input, or when it is interrupted.
Argument<string> target = new("target") { Description = "The server, as host:port." };
Option<int> listen = new("--listen") { Description = "The port on 127.0.0.1 to listen on; 0 for a free one." };
Option<int> seed = new("--seed") { Description = "Decides which commands are struck by rules that strike a share of them." };
Option<string[]> rules = new("--rule")
{
    Description = "A fault, as \"commands: action [delay] [share%] [skip N] [times N]\", such as \"insert,update: cut-after 5%\"; "
        + $"actions are {string.Join(", ", Enum.GetValues<FaultAction>().Select(FaultRule.NameOf))}.",
};
Option<bool> tcp = new("--tcp") { Description = "The server speaks another protocol than MongoDB's: no rules." };
Option<bool> verbose = new("--verbose") { Description = "Tells about each fault." };
RootCommand root = new("Stands before a MongoDB server and injects faults. Standard input takes: a rule, clear, stall, resume, cut, report.")
{
    target, listen, seed, rules, tcp, verbose,
};
root.SetAction(async (parsed, cancellationToken) =>
{
    var address = parsed.GetValue(target)!;
    var colon = address.LastIndexOf(':');
    if (colon < 0 || !int.TryParse(address[(colon + 1)..], CultureInfo.InvariantCulture, out var port))
    {
        return Refuse($"\"{address}\" is no server: it needs the form host:port.");
    }

    await using var proxy = new FaultProxy(
        address[..colon], port, parsed.GetValue(seed), parsed.GetValue(tcp) ? FaultProtocol.Tcp : FaultProtocol.MongoDb, parsed.GetValue(listen));
    if (parsed.GetValue(verbose))
    {
        proxy.OnFault = fault => Console.WriteLine(
            $"connection {fault.Connection}, request {fault.RequestId}: {fault.Command} {FaultRule.NameOf(fault.Action)}");
    }

    try
    {
        foreach (var rule in parsed.GetValue(rules) ?? [])
        {
            proxy.Add(rule);
        }
    }
    catch (Exception exception) when (exception is FormatException or InvalidOperationException)
    {
        return Refuse(exception.Message);
    }

    Console.WriteLine(proxy.Port);
    try
    {
        while (await Console.In.ReadLineAsync(cancellationToken) is { } line)
        {
            Obey(proxy, line.Trim());
        }
    }
    catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
    {
        // Interrupted, which is how it ends.
    }

    Report(proxy);
    return 0;
});
return await root.Parse(args).InvokeAsync();

static int Refuse(string sentence)
{
    Console.Error.WriteLine(sentence);
    return 64;
}

static void Obey(FaultProxy proxy, string line)
{
    switch (line)
    {
        case "":
            break;
        case "clear":
            proxy.Clear();
            break;
        case "stall":
            proxy.Stall();
            break;
        case "resume":
            proxy.Resume();
            break;
        case "cut":
            proxy.Cut();
            break;
        case "report":
            Report(proxy);
            break;
        default:
            try
            {
                proxy.Add(line);
            }
            catch (Exception exception) when (exception is FormatException or InvalidOperationException)
            {
                Console.Error.WriteLine(exception.Message);
            }

            break;
    }
}

static void Report(FaultProxy proxy)
{
    foreach (var ((command, action), count) in proxy.Faults.OrderBy(fault => fault.Key))
    {
        Console.WriteLine($"{command} {FaultRule.NameOf(action)}: {count}");
    }

    Console.WriteLine($"{proxy.Accepted} connections");
}
