using System.Runtime.CompilerServices;
using Xunit;
using static Intmill.Tests.Fixtures;

namespace Intmill.Tests;

public class LifetimeTests
{
    [Fact]
    public void ObjectsAreDisposedInAnyOrder()
    {
        for (int seed = 0; seed < 20; ++seed)
        {
            Model fp32 = Model.Load(Sample);
            Model int8 = Quantized(fp32);
            var session = new Session(int8, OneThread);
            Binding binding = session.Bind();
            Tensor x = Images(2);
            binding.Set(Side.Input, 0, x);
            binding.Run();
            Tensor y = binding.Get(Side.Output, 0);
            float[] before = y.ToArray<float>();
            IDisposable[] objects = [fp32, int8, session, x];
            new Random(seed).Shuffle(objects);
            Array.ForEach(objects, each => each.Dispose());
            binding.Run(); // it keeps what it needs
            using Tensor again = binding.Get(Side.Output, 0);
            Assert.Equal(before, again.ToArray<float>());
            binding.Dispose();
            Assert.Equal(before, y.ToArray<float>());
            y.Dispose();
        }
    }

    [Fact]
    public void EveryDisposedObjectRefuses()
    {
        Model model = Model.Load(Sample);
        Probe probe = Probe.Calibrate(model);
        var session = new Session(model, OneThread);
        Binding binding = session.Bind();
        Tensor x = Images(1);
        IDisposable[] objects = [model, probe, session, binding, x, model, session];
        Array.ForEach(objects, each => each.Dispose());
        Assert.Throws<ObjectDisposedException>(() => model.Inputs);
        Assert.Throws<ObjectDisposedException>(() => model.Report(ReportKind.Layers));
        Assert.Throws<ObjectDisposedException>(() => new Session(model));
        Assert.Throws<ObjectDisposedException>(() => model.Quantize(probe));
        Assert.Throws<ObjectDisposedException>(() => probe.Feed(x));
        Assert.Throws<ObjectDisposedException>(() => session.Run(x));
        Assert.Throws<ObjectDisposedException>(session.Bind);
        Assert.Throws<ObjectDisposedException>(() => binding.Set(Side.Input, 0, x));
        Assert.Throws<ObjectDisposedException>(binding.Run);
    }

    [Fact]
    public void NoCallBeginsAfterDisposeThoughOneIsUnderWay()
    {
        Model model = Model.Load(Sample);
        using Tensor x = Images(1);
        using Probe ranges = Probe.Calibrate(model, [[x]]);
        int refused = 0;
        using Model int8 = model.Quantize(ranges, OneThread.OnProgress(_ =>
        {
            model.Dispose();
            var e = Assert.Throws<ObjectDisposedException>(() => model.Inputs);
            Assert.Equal("Model", e.ObjectName);
            return ++refused > 0;
        }));
        Assert.True(refused > 0);
        Assert.Single(int8.Inputs);
    }

    [Fact]
    public void DisposingWaitsForCallsUnderWay()
    {
        using Model model = Model.Load(Sample);
        for (int round = 0; round < 20; ++round)
        {
            var session = new Session(model, OneThread);
            Tensor x = Images(1);
            using var go = new ManualResetEvent(false); // starting a thread spins: busy ones delay it
            using var allRunning = new ManualResetEvent(false);
            int running = 0, failed = 0;
            var threads = new Thread[4];
            for (int t = 0; t < threads.Length; ++t)
            {
                threads[t] = new Thread(() =>
                {
                    go.WaitOne();
                    bool ended = RunUntilDisposed(session, x, () =>
                    {
                        if (Interlocked.Increment(ref running) == threads.Length)
                        {
                            allRunning.Set();
                        }
                    });
                    Interlocked.Add(ref failed, ended ? 0 : 1);
                });
                threads[t].Start();
            }
            go.Set();
            allRunning.WaitOne();
            (round % 2 == 0 ? (IDisposable)session : x).Dispose();
            Array.ForEach(threads, thread => thread.Join());
            Assert.Equal(0, failed);
            session.Dispose();
            x.Dispose();
        }
    }

    /// <summary>True when it ended as it should: a failing assertion on a thread would end the process.
    /// </summary>
    private static bool RunUntilDisposed(Session session, Tensor x, Action hasRun)
    {
        for (bool first = true; ; first = false)
        {
            try
            {
                using Result result = session.Run(x);
                if (result[0].Read<float>().Length != 10)
                {
                    return false;
                }
            }
            catch (ObjectDisposedException)
            {
                return !first;
            }
            if (first)
            {
                hasRun();
            }
        }
    }

    [Fact]
    public void WhatIsForgottenIsGivenBack()
    {
        WeakReference array = Forget();
        Collect();
        Assert.False(array.IsAlive);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Forget()
    {
        var array = new float[784];
        using Model model = Model.Load(Sample);
        var session = new Session(model, OneThread);
        Binding binding = session.Bind();
        binding.Set(Side.Input, 0, Tensor.Wrap<float>(array, 1, 1, 28, 28));
        binding.Run();
        return new WeakReference(array);
    }
}
