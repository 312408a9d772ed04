using Microsoft.Extensions.Options;
using Platform.Monitor.Settings;

namespace Platform.Monitor.Collectors;

/// <summary>The disks of the directories of <see cref="MonitorOptions.Directories"/>.</summary>
internal sealed class DiskCollector(IOptions<MonitorOptions> options) : ICollector
{
    /// <inheritdoc/>
    public string Name => "disk";

    /// <inheritdoc/>
    public Task<IReadOnlyList<Sample>> CollectAsync(CancellationToken cancellationToken)
    {
        var samples = new List<Sample>();
        foreach (var (name, directory) in options.Value.Directories)
        {
            try
            {
                var drive = new DriveInfo(directory);
                var (free, size) = (drive.AvailableFreeSpace, drive.TotalSize);
                samples.Add(new(MetricCatalogue.DiskFree, free, name));
                samples.Add(new(MetricCatalogue.DiskSize, size, name));
                samples.Add(new(MetricCatalogue.DiskReadable, 1, name));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // An alert of its own says so: it is not full, and the other disks are seen.
                samples.Add(new(MetricCatalogue.DiskReadable, 0, name));
            }
        }

        return Task.FromResult<IReadOnlyList<Sample>>(samples);
    }
}
