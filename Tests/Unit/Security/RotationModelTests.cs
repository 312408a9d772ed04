using Platform.SecurityTool.Secrets;
using Xunit;

namespace Platform.Tests.Unit.Security;

/// <summary>A password is replaced by a program that ends anywhere, while servers and the stack start again: programs can log in at each moment.</summary>
public sealed class RotationModelTests : IDisposable
{
    private const string First = "the-first-one";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("rotation-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Programs_can_log_in_at_each_moment_and_the_end_has_one_password(bool hasSeveral)
    {
        var steps = await StepsAsync(hasSeveral);
        Assert.True(steps >= 7, $"{steps} steps");
        var runs = 0;
        foreach (var first in Enumerable.Range(0, steps))
        {
            foreach (var between in Enum.GetValues<Event>())
            {
                foreach (var second in Enumerable.Range(0, steps + 1))
                {
                    var model = new Model(_directory.FullName, hasSeveral);
                    await model.RunAsync(first, Cancel);
                    model.Happen(between);
                    await model.RunAsync(second < steps ? second : null, Cancel);
                    await model.RunAsync(null, Cancel);
                    model.AssertEnded();
                    runs++;
                }
            }
        }

        Assert.Equal(steps * 4 * (steps + 1), runs);
    }

    [Fact]
    public async Task What_was_begun_is_ended_with_the_password_that_was_made()
    {
        var model = new Model(_directory.FullName, hasSeveral: true);
        await model.RunAsync(2, Cancel);
        var begun = model.File.Read();
        Assert.Equal([First, begun[^1]], begun);
        Assert.True(await model.RunAsync(null, Cancel));
        Assert.Equal([begun[^1]], model.File.Read());
        Assert.False(await model.RunAsync(null, Cancel));
        Assert.NotEqual([begun[^1]], model.File.Read());
    }

    private async Task<int> StepsAsync(bool hasSeveral)
    {
        var model = new Model(_directory.FullName, hasSeveral);
        await model.RunAsync(null, Cancel);
        model.AssertEnded();
        return model.Steps;
    }

    private enum Event
    {
        Nothing, ServerStartsAgain, UsersAreMadeAgain, StackStartsAgain,
    }

    private sealed class KilledException : Exception;

    /// <summary>Two nodes and the AppHost's copy; what each does at its start is what the AppHost has them do.</summary>
    private sealed class Model : IRotatedServer
    {
        private readonly bool _hasSeveral;
        private readonly HashSet<string>[] _nodes = [[First], [First]];
        private string _ofAppHost = First;
        private int? _end;

        public Model(string directory, bool hasSeveral)
        {
            _hasSeveral = hasSeveral;
            File = new(Path.Combine(directory, "password"));
            File.Write(First);
        }

        public PasswordFile File { get; }

        public int Steps { get; private set; }

        public TimeSpan Overlap
        {
            get
            {
                Step();
                return TimeSpan.Zero;
            }
        }

        /// <summary>Runs to the end, or to a step.</summary>
        public async Task<bool?> RunAsync(int? end, CancellationToken cancellationToken)
        {
            (_end, Steps) = (end, 0);
            try
            {
                return await new Rotation(File, Read, Write, this, TimeProvider.System).RunAsync(cancellationToken);
            }
            catch (KilledException)
            {
                return null;
            }
        }

        public void Happen(Event what)
        {
            switch (what)
            {
                case Event.ServerStartsAgain when _hasSeveral:
                    _nodes[0] = [.. File.Read()];
                    break;
                case Event.UsersAreMadeAgain when !_hasSeveral:
                    Take([File.Read()[^1]]);
                    break;
                case Event.StackStartsAgain:
                    File.Write(_ofAppHost);
                    Take([_ofAppHost]);
                    break;
                default:
                    break;
            }

            AssertLogin();
        }

        public Task AcceptAsync(string password, CancellationToken cancellationToken)
        {
            Step();
            foreach (var node in _nodes)
            {
                if (!_hasSeveral)
                {
                    node.Clear();
                }

                node.Add(password);
                Step();
            }

            return Task.CompletedTask;
        }

        public Task KeepOnlyAsync(string password, CancellationToken cancellationToken)
        {
            foreach (var node in _nodes)
            {
                Step();
                if (_hasSeveral)
                {
                    node.RemoveWhere(other => other != password);
                }
            }

            return Task.CompletedTask;
        }

        public void AssertEnded()
        {
            var password = Assert.Single(File.Read());
            Assert.Equal(password, _ofAppHost);
            Assert.All(_nodes, node => Assert.Equal([password], node));
            Assert.NotEqual(First, password);
        }

        private string Read() => _ofAppHost;

        private void Write(string password)
        {
            Step();
            _ofAppHost = password;
            Step();
        }

        private void Take(string[] passwords)
        {
            for (var i = 0; i < _nodes.Length; i++)
            {
                _nodes[i] = [.. passwords];
            }
        }

        private void Step()
        {
            AssertLogin();
            if (Steps++ == _end)
            {
                throw new KilledException();
            }
        }

        // A program of Redis tries the first one; one of MongoDB all.
        private void AssertLogin()
        {
            var known = File.Read();
            Assert.All(_nodes, node => Assert.True(_hasSeveral ? node.Contains(known[0]) : known.Any(node.Contains), $"step {Steps}"));
        }
    }
}
